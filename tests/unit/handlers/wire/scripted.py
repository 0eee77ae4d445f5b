"""What the wire tests share: random event sequences, a model's entry, and the documents' schemas."""

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from jsonschema_rs import Draft202012, Draft202012Validator, Registry

from engine import (
    Alternative,
    Capability,
    ChoiceFinished,
    Finished,
    GenerationEvent,
    ModelEntry,
    ModelMetadata,
    Pooling,
    ReasoningDelta,
    Recognition,
    TensorShape,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from engine.families import Facts, Sampling, recognise
from openapi import DocumentName, document

USAGE = Usage(prompt_tokens=11, completion_tokens=7, cached_tokens=3)
UNKNOWN = recognise(Facts(architecture="llama"))
TIMINGS = Timings(load_ns=5, prompt_ns=20, generation_ns=300, total_ns=330)


def entry(
    name: str = "demo",
    *,
    capabilities: tuple[Capability, ...] = ("completion", "tools"),
    chat_template: str | None = "{{ messages }}",
    parameter_count: int = 5_200_000,
    pooling: Pooling | None = None,
    recognition: Recognition = UNKNOWN,
    sampling: Sampling = UNKNOWN.family.sampling,
) -> ModelEntry:
    """A catalogue entry as the engine makes it from a small model's file."""
    metadata = ModelMetadata(
        architecture="llama",
        parameter_count=parameter_count,
        quantization="Q8_0",
        context_length=2048,
        embedding_length=256,
        chat_template=chat_template,
        recognition=recognition,
        sampling=sampling,
        pooling=pooling,
        capabilities=capabilities,
        license="apache-2.0",
        values={"general.architecture": "llama", "tokenizer.ggml.tokens": None},
        array_lengths={"tokenizer.ggml.tokens": 3},
        paths=(Path("demo.gguf"),),
        shapes=(TensorShape("token_embd.weight", "Q8_0", (256, 3)),),
    )
    return ModelEntry(name, (Path("demo.gguf"),), ((5_500_000, 1_763_000_000_123_456_789),), metadata)


@cache
def _validator(name: DocumentName, schema: str) -> Draft202012Validator:
    registry = Registry([(f"urn:{name}", document(name))], draft=Draft202012)
    return Draft202012Validator({"$ref": f"urn:{name}#/components/schemas/{schema}"}, registry=registry)


def conforming(body: Any, name: DocumentName, schema: str) -> Any:
    """`body`, once it has been found valid under a schema of a document."""
    _validator(name, schema).validate(body)
    return body


async def replay(events: Iterable[Any]) -> AsyncIterator[Any]:
    """The events as a stream."""
    for event in events:
        yield event


async def gather(chunks: AsyncIterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """All chunks of a stream."""
    return [chunk async for chunk in chunks]


texts = st.text(max_size=8)
_numbers = st.floats(min_value=-30, max_value=0)
_alternatives = st.builds(Alternative, token_id=st.integers(0, 9), bytes=st.binary(max_size=4), logprob=_numbers)
_tokens = st.builds(
    TokenLogprob,
    token_id=st.integers(0, 9),
    bytes=st.binary(max_size=4),
    logprob=_numbers,
    top=st.lists(_alternatives, max_size=2).map(tuple),
)
_token_tuples = st.lists(_tokens, max_size=3).map(tuple)
_pieces = st.lists(st.tuples(texts, _token_tuples), max_size=3)


@st.composite
def _answer(draw: st.DrawFn, index: int, *, tools: bool, echo: bool, thinks: bool) -> list[GenerationEvent]:
    """The events of one answer: thinking, the echoed prompt, pieces of text, then whole or cut calls, then its end."""
    thoughts = draw(st.lists(st.text(min_size=1, max_size=8), max_size=2)) if thinks else []
    events: list[GenerationEvent] = [ReasoningDelta(index=index, text=text) for text in thoughts]
    if echo:
        events.append(TextDelta(index=index, text=draw(texts), logprobs=draw(_token_tuples), echo=True))
    events += [TextDelta(index=index, text=text, logprobs=tokens) for text, tokens in draw(_pieces)]
    calls = (
        draw(st.lists(st.sampled_from(['{"city":"Rome"}', "{}", '{"n":[1,2,{"a":null}]}']), max_size=2))
        if tools
        else []
    )
    for number, arguments in enumerate(calls):
        cut = draw(st.integers(0, len(arguments)))
        name = f"tool_{number}"
        events.append(
            ToolCallDelta(
                index=index, call_index=number, id=f"call_{index}_{number}", name=name, arguments=arguments[:cut]
            )
        )
        events.append(ToolCallDelta(index=index, call_index=number, arguments=arguments[cut:]))
    reason = "tool_calls" if calls else draw(st.sampled_from(["stop", "length"]))
    score = draw(_numbers)
    events.append(ChoiceFinished(index=index, finish_reason=reason, completion_tokens=4, cumulative_logprob=score))
    return events


@st.composite
def generations(
    draw: st.DrawFn, *, most_answers: int = 3, tools: bool = True, echo: bool = False, thinks: bool = False
) -> list[GenerationEvent]:
    """All events of a generation: its answers' events interleaved at random, then the end."""
    count = draw(st.integers(1, most_answers))
    waiting = [draw(_answer(index, tools=tools, echo=echo, thinks=thinks)) for index in range(count)]
    return [*interleaved(draw, waiting), Finished(usage=USAGE, timings=TIMINGS, context=(1, 2, 3))]


def interleaved(draw: st.DrawFn, sequences: Sequence[Sequence[Any]]) -> list[Any]:
    """One sequence of all the elements, each sequence's in their order."""
    waiting = [list(sequence) for sequence in sequences if sequence]
    merged = []
    while waiting:
        chosen = draw(st.sampled_from(waiting))
        merged.append(chosen.pop(0))
        waiting = [sequence for sequence in waiting if sequence]
    return merged
