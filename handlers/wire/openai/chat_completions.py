"""Chat completions: body -> GenerationRequest, result -> body, events -> chunks.

Must not know HTTP, nor how events become server-sent ones.
"""

from collections.abc import AsyncIterator, Sequence
from typing import TypedDict

from engine import (
    ChatPrompt,
    ChoiceFinished,
    Finished,
    GeneratedChoice,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    JsonObject,
    Media,
    ModelEntry,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
)
from handlers.wire.keep_alive import parse_keep_alive
from handlers.wire.logprobs import render_logprobs, requested_alternatives
from handlers.wire.nullable import or_default
from handlers.wire.openai.custom_tools import CustomCalls, custom_names
from handlers.wire.openai.envelope import Envelope, render_usage
from handlers.wire.openai.functions import in_older_form, uses_functions
from handlers.wire.openai.lora import parse_lora
from handlers.wire.openai.messages import template_messages
from handlers.wire.openai.prediction import parse_prediction
from handlers.wire.openai.reasoning import ReasoningField, parse_budget, parse_effort
from handlers.wire.openai.response_format import parse_response_format
from handlers.wire.openai.sampling import parse_sampling
from handlers.wire.openai.stream_options import check_stream_options
from handlers.wire.openai.template_settings import parse_ending, parse_variables
from handlers.wire.openai.tools import parse_tools, places
from handlers.wire.refusal import InvalidParameter
from handlers.wire.stop import parse_stop
from handlers.wire.text_constraints import check_beside_tools, parse_constraint
from handlers.wire.types.openai import CreateChatCompletionRequest as Body

ID_PREFIX = "chatcmpl-"
_WHOLE = "chat.completion"
_CHUNK = "chat.completion.chunk"


class Form(TypedDict):
    """What of a request decides how its answer is written. `logprobs`: it asked for them; `functions`: it spoke of functions in the older
    form; `custom`: the names of its custom tools. `reasoning_field`: what the server calls thinking."""

    logprobs: bool
    functions: bool
    custom: frozenset[str]
    reasoning_field: ReasoningField


def form(body: Body, reasoning_field: ReasoningField = "reasoning_content") -> Form:
    """How the answer to a validated body is to be written."""
    alternatives = requested_alternatives(body.get("logprobs"), body.get("top_logprobs"))
    return {
        "logprobs": alternatives is not None,
        "functions": uses_functions(body),
        "custom": custom_names(body),
        "reasoning_field": reasoning_field,
    }


def names(body: Body) -> dict[str, str]:
    """Where a body has what the engine calls otherwise."""
    return {
        "schema": "response_format.json_schema.schema",
        "template_kwargs": "chat_template_kwargs",
        **places(body),
    }


def parse(body: Body, entry: ModelEntry, media: tuple[Media, ...] = ()) -> GenerationRequest:
    """The generation that a validated body asks of the model that it names; `media` are what its sources hold. Raises InvalidParameter."""
    check_stream_options(body)
    offer = parse_tools(body)
    constraint = parse_constraint(body, parse_response_format(body.get("response_format")), "response_format")
    if offer.tools:
        check_beside_tools(constraint, "tools")
    messages = template_messages(body["messages"])
    return GenerationRequest(
        model=body["model"],
        prompt=ChatPrompt(
            messages=messages,
            tools=offer.tools,
            **parse_ending(body, messages)._asdict(),
            template_kwargs=parse_variables(body),
            reasoning_effort=parse_effort(body.get("reasoning_effort"), entry),
            media=media,
        ),
        sampling=parse_sampling(body),
        constraint=constraint,
        stop=parse_stop(body.get("stop")),
        max_tokens=_max_tokens(body),
        n=or_default(body.get("n"), 1),
        logprobs=requested_alternatives(body.get("logprobs"), body.get("top_logprobs")),
        ignore_eos=or_default(body.get("ignore_eos"), False),
        lora=parse_lora(body.get("lora")),
        tool_use=offer.use,
        split_reasoning=True,
        reasoning_budget_tokens=parse_budget(body.get("reasoning_budget_tokens"), body.get("reasoning_effort"), entry),
        cache_salt=or_default(body.get("cache_salt"), ""),
        prediction=parse_prediction(body.get("prediction")),
        keep_alive_seconds=parse_keep_alive(body.get("keep_alive")),
    )


def render(
    result: GenerationResult,
    envelope: Envelope,
    *,
    logprobs: bool = False,
    functions: bool = False,
    custom: frozenset[str] = frozenset(),
    reasoning_field: ReasoningField = "reasoning_content",
) -> JsonObject:
    """The whole answer, in the form that the request asks for."""
    choices = CustomCalls(custom).in_message(_choice(choice, logprobs, reasoning_field) for choice in result.choices)
    if functions:
        choices = in_older_form(choices)
    return {
        **envelope.around(_WHOLE, choices),
        "service_tier": "default",
        "usage": render_usage([result.usage]),
    }


async def chunks(
    events: AsyncIterator[GenerationEvent],
    envelope: Envelope,
    *,
    n: int,
    logprobs: bool = False,
    functions: bool = False,
    custom: frozenset[str] = frozenset(),
    reasoning_field: ReasoningField = "reasoning_content",
    include_usage: bool = False,
) -> AsyncIterator[JsonObject]:
    """The answer's chunks: each choice's role, then what happens, then the token counts if `include_usage`. Else as `render`."""
    frame: JsonObject = {**envelope.around(_CHUNK, ()), "service_tier": "default"}
    if include_usage:
        frame["usage"] = None
    custom_calls = CustomCalls(custom)
    for index in range(n):
        yield {**frame, "choices": [_delta(index, {"role": "assistant", "content": "", "refusal": None})]}
    async for event in events:
        if not isinstance(event, Finished):
            choices = custom_calls.in_chunk([_event_choice(event, logprobs, reasoning_field)])
            for choice in in_older_form(choices) if functions else choices:
                yield {**frame, "choices": [choice]}
        elif include_usage:
            yield {**frame, "usage": render_usage([event.usage])}


def _max_tokens(body: Body) -> int | None:
    newer, older = body.get("max_completion_tokens"), body.get("max_tokens")
    if newer is not None and older is not None and newer != older:
        raise InvalidParameter(
            f"max_tokens: {older} contradicts max_completion_tokens, which is {newer}; send one of the two",
            "max_tokens",
        )
    return older if newer is None else newer


def render_message(choice: GeneratedChoice, reasoning_field: ReasoningField = "reasoning_content") -> JsonObject:
    """What the assistant said: its content, its thinking under this name, and its calls."""
    message: JsonObject = {"role": "assistant", "content": choice.text, "refusal": None}
    if choice.reasoning:
        message[reasoning_field] = choice.reasoning
    if choice.tool_calls:
        message["content"] = choice.text or None
        message["tool_calls"] = [_tool_call(call) for call in choice.tool_calls]
    return message


def _choice(choice: GeneratedChoice, logprobs: bool, reasoning_field: ReasoningField) -> JsonObject:
    return {
        "index": choice.index,
        "message": render_message(choice, reasoning_field),
        "logprobs": _logprobs(choice.logprobs) if logprobs else None,
        "finish_reason": choice.finish_reason,
    }


def _tool_call(call: ToolCall) -> JsonObject:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _event_choice(
    event: TextDelta | ReasoningDelta | ToolCallDelta | ChoiceFinished, logprobs: bool, reasoning_field: ReasoningField
) -> JsonObject:
    if isinstance(event, ChoiceFinished):
        return {**_delta(event.index, {}), "finish_reason": event.finish_reason}
    if isinstance(event, ToolCallDelta):
        return _delta(event.index, {"tool_calls": [_tool_call_delta(event)]})
    if isinstance(event, ReasoningDelta):
        return _delta(event.index, {reasoning_field: event.text})
    choice = _delta(event.index, {"content": event.text})
    return {**choice, "logprobs": _logprobs(event.logprobs)} if logprobs else choice


def _delta(index: int, delta: JsonObject) -> JsonObject:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}


def _tool_call_delta(event: ToolCallDelta) -> JsonObject:
    """A call's id, type and name come once, with its first delta."""
    opening = {} if event.id is None else {"id": event.id, "type": "function"}
    name = {} if event.name is None else {"name": event.name}
    return {"index": event.call_index, **opening, "function": {**name, "arguments": event.arguments}}


def _logprobs(tokens: Sequence[TokenLogprob]) -> JsonObject:
    return {"content": render_logprobs(tokens), "refusal": None}
