"""`/api/generate`: body -> GenerationRequest, result -> body, events -> lines. Must not know HTTP."""

from collections.abc import AsyncIterator

from engine import (
    ChatPrompt,
    ChoiceFinished,
    Finished,
    FinishReason,
    GenerationEvent,
    GenerationRequest,
    GenerationResult,
    InfillPrompt,
    JsonObject,
    Media,
    ModelEntry,
    Prompt,
    ReasoningDelta,
    TextDelta,
    TextPrompt,
    TokenPrompt,
)
from handlers.wire.logprobs import render_logprobs
from handlers.wire.media import MediaSource
from handlers.wire.ollama.answers import Residency, ending, opening, residency_ending
from handlers.wire.ollama.messages import picture_sources, with_pictures
from handlers.wire.ollama.requests import generation_request
from handlers.wire.ollama.thinking import parse_effort
from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.ollama import GenerateRequest as Body


def has_prompt(body: Body) -> bool:
    """Whether there is anything to generate from; without, the request loads or unloads the model."""
    return bool(body.get("prompt") or body.get("suffix") or body.get("images"))


def media_sources(body: Body) -> list[MediaSource]:
    """The pictures that the prompt is about."""
    return picture_sources(body.get("images"), "images")


def parse(body: Body, entry: ModelEntry, media: tuple[Media, ...] = ()) -> GenerationRequest:
    """The generation that a validated body asks of the model that it names; `media` are its pictures. Raises InvalidParameter."""
    raw = bool(body.get("raw"))
    if raw:
        _refuse_beside(body, "raw", ("system", "context", "suffix", "images", "template"))
    effort = parse_effort(body.get("think"), entry)
    prompt = TextPrompt(text=body.get("prompt") or "") if raw else _prompt(body, entry, effort, media)
    return generation_request(body, entry, prompt, return_context=not raw)


def render(result: GenerationResult, body: Body) -> JsonObject:
    """The whole answer to `body`."""
    choice = result.choices[0]
    answer = {**opening(body["model"]), "response": choice.text, **ending(choice.finish_reason, result)}
    if choice.reasoning:
        answer["thinking"] = choice.reasoning
    if body.get("logprobs"):
        answer["logprobs"] = render_logprobs(choice.logprobs)
    return {**answer, **_context(result)}


def render_residency(model: str, change: Residency) -> JsonObject:
    """The answer to a request without a prompt."""
    return {**opening(model), "response": "", **residency_ending(change)}


async def chunks(events: AsyncIterator[GenerationEvent], body: Body) -> AsyncIterator[JsonObject]:
    """The lines of the answer to `body`: pieces of text, then one with the reason, the counts and the durations."""
    finish_reason: FinishReason = "stop"
    async for event in events:
        if isinstance(event, TextDelta):
            logprobs = {"logprobs": render_logprobs(event.logprobs)} if body.get("logprobs") else {}
            yield {**opening(body["model"]), "response": event.text, "done": False, **logprobs}
        elif isinstance(event, ReasoningDelta):
            yield {**opening(body["model"]), "response": "", "thinking": event.text, "done": False}
        elif isinstance(event, ChoiceFinished):
            finish_reason = event.finish_reason
        elif isinstance(event, Finished):
            yield {**opening(body["model"]), "response": "", **ending(finish_reason, event), **_context(event)}


def _context(end: Finished | GenerationResult) -> JsonObject:
    return {"context": list(end.context)} if end.context else {}


def _prompt(body: Body, entry: ModelEntry, effort: str | None, media: tuple[Media, ...]) -> Prompt:
    """Filling in, or one turn of a template; a model without one, of no family known here, continues the text as it stands."""
    text, template = body.get("prompt") or "", body.get("template") or None
    if body.get("suffix"):
        return _infill_by(template, body, effort) if template else _infill(body, entry)
    context = tuple(body.get("context") or ())
    is_bare = entry.metadata.chat_template is None and not entry.metadata.recognition.is_known
    if is_bare and template is None and not media:
        if body.get("system"):
            raise InvalidParameter(f"system: the model {entry.name!r} has no template to put it into", "system")
        return TokenPrompt(tokens=context, text=text) if context else TextPrompt(text=text)
    system: list[JsonObject] = [{"role": "system", "content": body["system"]}] if body.get("system") else []
    messages = [*system, {"role": "user", "content": with_pictures(body.get("images"), text)}]
    return ChatPrompt(
        messages=tuple(messages), reasoning_effort=effort, prefix_tokens=context, media=media, template=template
    )


def _infill_by(template: str, body: Body, effort: str | None) -> ChatPrompt:
    """Filling in as the request's own template has it."""
    _refuse_beside(body, "suffix", ("system", "context", "images"))
    message = {"role": "user", "content": body.get("prompt") or ""}
    return ChatPrompt(
        messages=(message,), reasoning_effort=effort, template_kwargs={"suffix": body["suffix"]}, template=template
    )


def _infill(body: Body, entry: ModelEntry) -> InfillPrompt:
    _refuse_beside(body, "suffix", ("system", "context", "images"))
    if "insert" not in entry.metadata.capabilities:
        raise InvalidParameter(f"suffix: the model {entry.name!r} does not support insert", "suffix")
    return InfillPrompt(prefix=body.get("prompt") or "", suffix=body.get("suffix") or "")


def _refuse_beside(body: Body, mode: str, fields: tuple[str, ...]) -> None:
    """`mode` leaves no room for `fields`. Raises InvalidParameter for the first that is given."""
    for name in fields:
        if body.get(name):
            raise InvalidParameter(f"{name}: cannot be given together with {mode}", name)
