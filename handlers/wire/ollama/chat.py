"""`/api/chat`: body -> GenerationRequest, result -> body, events -> lines. Must not know HTTP."""

from collections.abc import AsyncIterator, Iterator

from engine import (
    ChatPrompt,
    ChoiceFinished,
    Finished,
    FinishReason,
    GeneratedChoice,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    JsonObject,
    Media,
    ModelEntry,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolUse,
)
from handlers.wire.continuation import continues
from handlers.wire.logprobs import render_logprobs
from handlers.wire.ollama.answers import Residency, ending, opening, residency_ending
from handlers.wire.ollama.messages import template_messages, template_tools
from handlers.wire.ollama.requests import generation_request
from handlers.wire.ollama.thinking import parse_effort
from handlers.wire.ollama.tool_calls import OpenCall, render_tool_call
from handlers.wire.types.ollama import ChatRequest as Body


def has_messages(body: Body) -> bool:
    """Whether there is a conversation to answer; without, the request loads or unloads the model."""
    return bool(body["messages"])


def parse(body: Body, entry: ModelEntry, media: tuple[Media, ...] = ()) -> GenerationRequest:
    """The generation that a validated body asks of the model that it names; `media` are its pictures. Raises InvalidParameter."""
    tools = template_tools(body.get("tools"))
    messages = template_messages(body["messages"] or ())
    prompt = ChatPrompt(
        messages=messages,
        tools=tools,
        continue_final_message=continues(messages),
        reasoning_effort=parse_effort(body.get("think"), entry),
        media=media,
    )
    return generation_request(body, entry, prompt, tool_use=ToolUse() if tools else None)


def render(result: GenerationResult, body: Body) -> JsonObject:
    """The whole answer to `body`."""
    choice = result.choices[0]
    answer = {**opening(body["model"]), "message": _message(choice), **ending(choice.finish_reason, result)}
    return {**answer, "logprobs": render_logprobs(choice.logprobs)} if body.get("logprobs") else answer


def render_residency(model: str, change: Residency) -> JsonObject:
    """The answer to a request without messages."""
    return {**opening(model), "message": {"role": "assistant", "content": ""}, **residency_ending(change)}


async def chunks(events: AsyncIterator[GenerationEvent], body: Body) -> AsyncIterator[JsonObject]:
    """The lines of the answer to `body`: pieces of thinking and text, whole tool calls, then the reason, the counts and the durations."""
    finish_reason: FinishReason = "stop"
    call = OpenCall()
    async for event in events:
        if not call.continues(event):
            for piece in _call_pieces(call.take()):
                yield {**opening(body["model"]), **piece}
        if isinstance(event, ToolCallDelta):
            call.add(event)
        elif isinstance(event, ReasoningDelta):
            message = {"role": "assistant", "content": "", "thinking": event.text}
            yield {**opening(body["model"]), "message": message, "done": False}
        elif isinstance(event, TextDelta):
            yield {**opening(body["model"]), **_text_piece(event, body)}
        elif isinstance(event, ChoiceFinished):
            finish_reason = event.finish_reason
        else:
            yield {**opening(body["model"]), **_end_piece(finish_reason, event)}


def _message(choice: GeneratedChoice) -> JsonObject:
    rendered = [(call, render_tool_call(index, call)) for index, call in enumerate(choice.tool_calls)]
    broken = "".join(call.arguments for call, whole in rendered if whole is None)
    calls = [whole for _, whole in rendered if whole is not None]
    optional = {"thinking": choice.reasoning, "tool_calls": calls}
    given = {key: value for key, value in optional.items() if value}
    return {"role": "assistant", "content": choice.text + broken, **given}


def _call_pieces(complete: tuple[int, ToolCall] | None) -> Iterator[JsonObject]:
    if complete is None:
        return
    whole = render_tool_call(*complete)
    content, calls = (complete[1].arguments, {}) if whole is None else ("", {"tool_calls": [whole]})
    yield {"message": {"role": "assistant", "content": content, **calls}, "done": False}


def _text_piece(event: TextDelta, body: Body) -> JsonObject:
    piece: JsonObject = {"message": {"role": "assistant", "content": event.text}, "done": False}
    return {**piece, "logprobs": render_logprobs(event.logprobs)} if body.get("logprobs") else piece


def _end_piece(finish_reason: FinishReason, end: Finished) -> JsonObject:
    return {"message": {"role": "assistant", "content": ""}, **ending(finish_reason, end)}
