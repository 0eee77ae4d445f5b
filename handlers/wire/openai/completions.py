"""Plain completions: body -> one GenerationRequest for each prompt, results -> body, events -> chunks.

Answers are numbered prompt by prompt. Must not know HTTP, nor how several generations run at once.
"""

from collections.abc import AsyncIterator, Sequence

from engine import (
    ChoiceFinished,
    Finished,
    GeneratedChoice,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    InfillPrompt,
    JsonObject,
    TextDelta,
    TextPrompt,
    TokenPrompt,
)
from handlers.wire.keep_alive import parse_keep_alive
from handlers.wire.nullable import or_default
from handlers.wire.openai.completion_logprobs import CompletionLogprobs
from handlers.wire.openai.envelope import Envelope, render_usage
from handlers.wire.openai.inputs import each_input
from handlers.wire.openai.lora import parse_lora
from handlers.wire.openai.sampling import parse_sampling
from handlers.wire.openai.stream_options import check_stream_options
from handlers.wire.refusal import InvalidParameter
from handlers.wire.stop import parse_stop
from handlers.wire.text_constraints import parse_constraint
from handlers.wire.types.openai import CreateCompletionRequest as Body

ID_PREFIX = "cmpl-"
_KIND = "text_completion"
_DEFAULT_MAX_TOKENS = 16


def parse(body: Body) -> tuple[GenerationRequest, ...]:
    """The generations that a validated body asks for, one for each prompt. Raises InvalidParameter."""
    check_stream_options(body)
    n, candidates = answers(body), _candidates(body)
    constraint = parse_constraint(body)
    return tuple(
        GenerationRequest(
            model=body["model"],
            prompt=prompt,
            sampling=parse_sampling(body),
            constraint=constraint,
            stop=parse_stop(body.get("stop")),
            max_tokens=or_default(body.get("max_tokens"), _DEFAULT_MAX_TOKENS),
            n=candidates,
            echo=or_default(body.get("echo"), False),
            logprobs=body.get("logprobs"),
            score=candidates > n,
            ignore_eos=or_default(body.get("ignore_eos"), False),
            lora=parse_lora(body.get("lora")),
            cache_salt=or_default(body.get("cache_salt"), ""),
            keep_alive_seconds=parse_keep_alive(body.get("keep_alive")),
        )
        for prompt in _prompts(body)
    )


def answers(body: Body) -> int:
    """How many answers each prompt gets."""
    return or_default(body.get("n"), 1)


def render(results: Sequence[GenerationResult], envelope: Envelope, *, n: int, logprobs: bool) -> JsonObject:
    """The whole answer: the `n` best answers to each prompt. `logprobs`: the request asked for them."""
    best = [choice for result in results for choice in _best(result.choices, n)]
    choices = [_choice(index, choice, logprobs) for index, choice in enumerate(best)]
    return {**envelope.around(_KIND, choices), "usage": render_usage(result.usage for result in results)}


async def chunks(
    events: AsyncIterator[tuple[int, GenerationEvent]],
    envelope: Envelope,
    *,
    n: int,
    logprobs: bool,
    include_usage: bool,
) -> AsyncIterator[JsonObject]:
    """The chunks of all answers as they come, then the token counts if `include_usage`.

    `events` are pairs of the prompt's number and what happened to its answers.
    """
    frame: JsonObject = envelope.around(_KIND, ())
    if include_usage:
        frame["usage"] = None
    stream = _Stream(logprobs)
    usages = []
    async for prompt, event in events:
        if isinstance(event, Finished):
            usages.append(event.usage)
        elif isinstance(event, TextDelta | ChoiceFinished):
            yield {**frame, "choices": [stream.choice(prompt * n + event.index, event)]}
    if include_usage:
        yield {**frame, "usage": render_usage(usages)}


class _Stream:
    """Turns events into choices of chunks; remembers where each answer's text has got to."""

    def __init__(self, logprobs: bool) -> None:
        self._logprobs = logprobs
        self._answers: dict[int, CompletionLogprobs] = {}

    def choice(self, index: int, event: TextDelta | ChoiceFinished) -> JsonObject:
        if isinstance(event, ChoiceFinished):
            return {"index": index, "text": "", "logprobs": None, "finish_reason": event.finish_reason}
        logprobs = (
            self._answers.setdefault(index, CompletionLogprobs()).render(event.logprobs) if self._logprobs else None
        )
        return {"index": index, "text": event.text, "logprobs": logprobs, "finish_reason": None}


def _candidates(body: Body) -> int:
    """How many answers to generate for each prompt. Raises InvalidParameter for a `best_of` that cannot be."""
    n = answers(body)
    best_of = or_default(body.get("best_of"), n)
    if best_of < n:
        raise InvalidParameter(f"best_of: expected at least n, which is {n}, but got {best_of}", "best_of")
    if best_of > n and body.get("stream"):
        raise InvalidParameter(
            "best_of: the best answers are known only at the end, so they cannot be streamed", "best_of"
        )
    return best_of


def _prompts(body: Body) -> list[TextPrompt | TokenPrompt | InfillPrompt]:
    """Null is an empty text."""
    prompts = each_input("" if body["prompt"] is None else body["prompt"])
    return [_prompt(prompt, body) for prompt in prompts]


def _prompt(prompt: str | tuple[int, ...], body: Body) -> TextPrompt | TokenPrompt | InfillPrompt:
    suffix = body.get("suffix")
    if not suffix:
        return TextPrompt(text=prompt) if isinstance(prompt, str) else TokenPrompt(tokens=prompt)
    if not isinstance(prompt, str):
        raise InvalidParameter("suffix: filling in needs a prompt of text, not of tokens", "suffix")
    if body.get("echo"):
        raise InvalidParameter("echo: a prompt that is filled in cannot be echoed; leave out suffix or echo", "echo")
    return InfillPrompt(prefix=prompt, suffix=suffix)


def _best(choices: Sequence[GeneratedChoice], n: int) -> Sequence[GeneratedChoice]:
    """The `n` answers with the highest log probability per token, best first; all of them as they are if there are `n`."""
    return choices if len(choices) <= n else sorted(choices, key=_mean_logprob, reverse=True)[:n]


def _mean_logprob(choice: GeneratedChoice) -> float:
    return (choice.cumulative_logprob or 0.0) / max(choice.completion_tokens, 1)


def _choice(index: int, choice: GeneratedChoice, logprobs: bool) -> JsonObject:
    tokens = choice.echo_logprobs + choice.logprobs
    return {
        "index": index,
        "text": choice.echo_text + choice.text,
        "logprobs": CompletionLogprobs().render(tokens) if logprobs else None,
        "finish_reason": choice.finish_reason,
    }
