"""The ways to write a conversation otherwise for a template that has no place for it as it stands; none loses any of its text.

Owns what each of them does to messages, and how mild it is: what changes less comes before what changes more. Must not know a template,
nor when to fold what, which is `rehearsal`'s business.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.chat.prompts.written_calls import written_calls
from engine.request import JsonObject

Messages = list[JsonObject]

_NINE_CHARACTERS = re.compile(r"[a-zA-Z0-9]{9}")


@dataclass(frozen=True)
class Fold:
    """`apply` returns other messages, or equal ones where there is nothing to fold. `cost`: how far they are from what was meant.
    `follows_others`: there may be something to fold only once another fold was applied."""

    name: str
    cost: int
    apply: Callable[[Messages], Messages]
    follows_others: bool = False


def text_of_parts(content: Any) -> Any:
    """Content parts as one text, a line each; what is no list of texts stays as it is."""
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "\n".join(part["text"] for part in content)
    return content


def folds(template_source: str) -> tuple[Fold, ...]:
    """What may be tried with this template, in the order in which it is applied."""
    return (
        Fold("developer as system", 1, _developer_as_system),
        Fold("content parts as text", 1, _content_as_text),
        Fold("content as parts", 1, _content_as_parts),
        Fold("call ids of nine characters", 1, _short_call_ids),
        Fold("a message for each call", 2, _one_call_a_message),
        Fold("a message for text beside calls", 3, _text_before_calls),
        Fold("text beside calls put before the answer", 4, _text_before_answer),
        Fold("leading system messages joined", 2, _leading_system_joined),
        Fold("later system messages in the next user message", 3, _later_system_as_user),
        Fold("system messages in the next user message", 5, _system_as_user),
        Fold("calls as text", 6, lambda messages: _calls_as_text(messages, template_source)),
        Fold("tool results as user messages", 6, _results_as_user),
        Fold("messages of one role joined", 2, _turns_joined, follows_others=True),
    )


def _developer_as_system(messages: Messages) -> Messages:
    return [{**message, "role": "system"} if message["role"] == "developer" else message for message in messages]


def _content_as_text(messages: Messages) -> Messages:
    return [
        {**message, "content": text_of_parts(message["content"])} if "content" in message else message
        for message in messages
    ]


def _content_as_parts(messages: Messages) -> Messages:
    return [
        {**message, "content": [{"type": "text", "text": message["content"]}]}
        if isinstance(message.get("content"), str)
        else message
        for message in messages
    ]


def _short_call_ids(messages: Messages) -> Messages:
    """Mistral's templates take ids of nine letters and digits only; a call without an id gets one, and so does its result."""
    unanswered: list[str] = []
    folded: Messages = []
    for number, message in enumerate(messages):
        calls = message.get("tool_calls") or ()
        if calls:
            named = [{**call, "id": _short_id(call.get("id"), f"{number}.{n}")} for n, call in enumerate(calls)]
            unanswered = [call["id"] for call in named]
            message = {**message, "tool_calls": named}
        elif message["role"] == "tool":
            given = message.get("tool_call_id")
            answered = _short_id(given, "") if given else (unanswered[0] if unanswered else _short_id(None, ""))
            unanswered = [call_id for call_id in unanswered if call_id != answered]
            message = {**message, "tool_call_id": answered}
        folded.append(message)
    return folded


def _short_id(given: str | None, place: str) -> str:
    if given and _NINE_CHARACTERS.fullmatch(given):
        return given
    return hashlib.sha256((given or place).encode()).hexdigest()[:9]


def _one_call_a_message(messages: Messages) -> Messages:
    """Each call with its own result behind it, as if they had been made one after another."""
    folded: Messages = []
    index = 0
    while index < len(messages):
        message, index = messages[index], index + 1
        calls = message.get("tool_calls") or ()
        if len(calls) < 2:
            folded.append(message)
            continue
        results: Messages = []
        while index < len(messages) and messages[index]["role"] == "tool":
            results.append(messages[index])
            index += 1
        folded += _one_by_one(message, calls, results)
    return folded


def _one_by_one(message: JsonObject, calls: Sequence[JsonObject], results: Messages) -> Iterator[JsonObject]:
    left = list(results)
    for number, call in enumerate(calls):
        yield {**(message if number == 0 else {"role": "assistant", "content": ""}), "tool_calls": [call]}
        own = [result for result in left if result.get("tool_call_id") and result["tool_call_id"] == call.get("id")]
        own = own or [result for result in left[:1] if not result.get("tool_call_id")]
        left = [result for result in left if all(result is not mine for mine in own)]
        yield from own
    yield from left


def _text_before_calls(messages: Messages) -> Messages:
    folded: Messages = []
    for message in messages:
        if message.get("tool_calls") and message.get("content"):
            folded.append({key: value for key, value in message.items() if key != "tool_calls"})
            message = {"role": "assistant", "content": "", "tool_calls": message["tool_calls"]}
        folded.append(message)
    return folded


def _text_before_answer(messages: Messages) -> Messages:
    """For templates that count one assistant's text between two of the user's: it goes to the text that comes after the results."""
    folded: Messages = []
    held: list[JsonObject] = []
    for message in messages:
        if message["role"] == "assistant" and message.get("tool_calls"):
            held += [{"role": "assistant", "content": message["content"]}] if message.get("content") else []
            message = {**message, "content": ""}
        elif message["role"] == "assistant" and held:
            message, held = _joined([*held, message]), []
        elif message["role"] == "user" and held:
            folded.append(_joined(held))
            held = []
        folded.append(message)
    if not held:
        return folded
    if folded[-1]["role"] == "tool":
        return _text_before_calls_at(messages, folded, held)
    return [*folded, _joined(held)]


def _text_before_calls_at(messages: Messages, folded: Messages, held: list[JsonObject]) -> Messages:
    """The texts of a turn that is not over stand before its first call."""
    carriers = [n for n, message in enumerate(folded) if message.get("tool_calls")]
    last_user = max((n for n, message in enumerate(folded) if message["role"] == "user"), default=-1)
    first = next((n for n in carriers if n > last_user), len(folded))
    return [*folded[:first], _joined(held), *folded[first:]]


def _leading_system_joined(messages: Messages) -> Messages:
    count = next((n for n, message in enumerate(messages) if message["role"] != "system"), len(messages))
    return [_joined(messages[:count]), *messages[count:]] if count > 1 else messages


def _later_system_as_user(messages: Messages) -> Messages:
    return [*messages[:1], *_system_as_user(messages[1:])]


def _system_as_user(messages: Messages) -> Messages:
    """In front of the user's next message, or as the user's own where another's comes first."""
    folded: Messages = []
    held: Messages = []
    for message in messages:
        if message["role"] == "system":
            held.append({"role": "user", "content": message["content"]})
            continue
        if held and message["role"] == "user":
            message, held = _joined([*held, message]), []
        elif held and message["role"] == "assistant":
            folded.append(_joined(held))
            held = []
        folded.append(message)
    return [*folded, _joined(held)] if held else folded


def _calls_as_text(messages: Messages, template_source: str) -> Messages:
    folded: Messages = []
    for message in messages:
        if calls := message.get("tool_calls"):
            text = written_calls(calls, template_source)
            rest = {key: value for key, value in message.items() if key != "tool_calls"}
            message = {**rest, "content": _with_text(message.get("content"), text)}
        folded.append(message)
    return folded


def _with_text(content: Any, text: str) -> Any:
    if isinstance(content, list):
        return [*content, {"type": "text", "text": text}]
    return f"{content}\n{text}" if content else text


def _results_as_user(messages: Messages) -> Messages:
    """As Hermes and Qwen show results: in the user's role, marked, those of one turn together."""
    folded: Messages = []
    after_result = False
    for message in messages:
        is_result = message["role"] == "tool"
        if is_result:
            message = {"role": "user", "content": _marked_result(message.get("content"))}
        if is_result and after_result:
            folded[-1] = {"role": "user", "content": f"{folded[-1]['content']}\n{message['content']}"}
        else:
            folded.append(message)
        after_result = is_result
    return folded


def _marked_result(content: Any) -> str:
    text = text_of_parts(content)
    shown = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)
    return f"<tool_response>\n{shown}\n</tool_response>"


def _turns_joined(messages: Messages) -> Messages:
    folded: Messages = []
    for message in messages:
        if folded and _is_joinable(folded[-1], message):
            folded[-1] = _joined([folded[-1], message])
        else:
            folded.append(message)
    return folded


def _is_joinable(message: JsonObject, other: JsonObject) -> bool:
    calls = message.get("tool_calls") or other.get("tool_calls")
    return message["role"] == other["role"] and message["role"] in {"user", "assistant"} and not calls


def _joined(messages: Messages) -> JsonObject:
    """One message with the content of all, an empty line between them."""
    together: JsonObject = {}
    for message in messages:
        together = {**message, **together}
    contents = [message["content"] for message in messages if message.get("content")]
    if all(isinstance(content, str) for content in contents):
        return {**together, "content": "\n\n".join(contents)}
    return {**together, "content": [part for content in contents for part in _as_parts(content)]}


def _as_parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": f"{content}\n\n"}] if isinstance(content, str) else content
