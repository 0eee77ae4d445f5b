"""Print the prompt that the server makes of a conversation.

    python -m tools.render_template --template FILE.jinja [--tools FILE] [--kwargs JSON] [--bos TEXT --eos TEXT] [--now ISO-TIME]
                                    < messages.json

The messages are as in a chat request, the arguments of calls as text or as objects. They pass through the server's own code: where the
template has no place for a message as it stands, it is folded as the server folds it. KWARGS are `chat_template_kwargs`.
Exit status 1: the template refuses the conversation, or is broken; 2: the input cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.chat.prompts.prompt_template import PromptTemplate
from engine.chat.prompts.template import TemplateError, TemplateRefusal, local_time
from engine.chat.prompts.templates import ModelTemplate, model_template
from engine.request import JsonObject
from handlers.wire.openai.messages import template_messages
from handlers.wire.openai.template_settings import parse_ending, parse_variables
from handlers.wire.refusal import InvalidParameter

_ROLES = ("developer", "system", "user", "assistant", "tool", "function")
_TEXTS = ("name", "tool_call_id", "refusal", "reasoning_content", "reasoning")
_LEFT_OUT = {"content": "", "tool_call_id": "", "name": ""}


class Unusable(Exception):
    """An input that cannot be used; one line."""


def render(template: ModelTemplate, messages: Any, tools: Any, variables: Any) -> str:
    """The prompt. Raises Unusable, TemplateError or TemplateRefusal."""
    if not isinstance(variables, dict):
        raise Unusable("--kwargs: expected a JSON object")
    _check_tools(tools)
    _check_messages(messages)
    try:
        conversation = template_messages([{**_LEFT_OUT, **message} for message in messages])  # type: ignore[misc] # checked above
        ending = parse_ending({"chat_template_kwargs": variables}, conversation)
        others = parse_variables({"chat_template_kwargs": variables})
    except InvalidParameter as error:
        raise Unusable(str(error)) from error
    if tools and not (template.supports_tools or isinstance(template, PromptTemplate)):
        raise TemplateRefusal("it has no place for tools")
    return template.render(conversation, tools, others, **ending._asdict())


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise Unusable("standard input: expected a JSON list of messages")
    for number, message in enumerate(messages):
        where = f"messages[{number}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            raise Unusable(f"{where}: expected an object whose role is one of {', '.join(_ROLES)}")
        wrong = next((name for name in _TEXTS if not isinstance(message.get(name), str | None)), None)
        if wrong:
            raise Unusable(f"{where}.{wrong}: expected text")
        _check_content(message.get("content"), f"{where}.content")
        calls = message.get("tool_calls")
        older = [{"function": message["function_call"]}] if message.get("function_call") else []
        if not isinstance(calls, list | None):
            raise Unusable(f"{where}.tool_calls: expected a list")
        for call in (*(calls or ()), *older):
            _check_call(call, where)


def _check_content(content: Any, where: str) -> None:
    if not isinstance(content, str | list | None):
        raise Unusable(f"{where}: expected text or a list of parts")
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in {"text", "refusal"} or not isinstance(part.get(kind), str):
            raise Unusable(f"{where}: expected parts of type text, which have a text")


def _check_call(call: Any, where: str) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise Unusable(f"{where}: expected calls with a function, which has a name")
    if not isinstance(function.get("arguments"), str | dict | None):
        raise Unusable(f"{where}: expected the arguments of {function['name']} as text or as an object")
    if not isinstance(call.setdefault("id", ""), str):
        raise Unusable(f"{where}: expected a text as the id of a call")
    call["type"] = "function"


def _check_tools(tools: Any) -> None:
    if not isinstance(tools, list):
        raise Unusable("--tools: expected a JSON list of tools")
    for number, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise Unusable(f"--tools: tools[{number}] has no function with a name")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    try:
        options = _options(arguments)
        template = model_template(
            _text(options.template), bos_token=options.bos, eos_token=options.eos, clock=_clock(options.now)
        )
        tools: list[JsonObject] = _json(_text(options.tools), "--tools") if options.tools else []
        messages = _json(sys.stdin.buffer.read().decode("utf-8", "replace"), "standard input")
        sys.stdout.write(render(template, messages, tools, _json(options.kwargs, "--kwargs")))
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    except TemplateRefusal as error:
        print(f"the template refuses these messages: {error}", file=sys.stderr)
        return 1
    except TemplateError as error:
        print(f"the template is broken: {error}", file=sys.stderr)
        return 1
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"{path}: {getattr(error, 'strerror', None) or 'it is no text in UTF-8'}") from error


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Unusable(f"{where}: no JSON: {error}") from error


def _clock(now: str | None) -> Any:
    if now is None:
        return local_time
    try:
        moment = datetime.fromisoformat(now)
    except ValueError as error:
        raise Unusable(f"--now: {error}") from error
    return lambda: moment


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--template", type=Path, required=True, help="the model's chat template (Jinja, or Go as Ollama has it)"
    )
    parser.add_argument(
        "--tools", type=Path, metavar="FILE", help="the tools that are offered, as in a request's `tools`"
    )
    parser.add_argument(
        "--kwargs", default="{}", metavar="JSON", help="further variables, as in `chat_template_kwargs`"
    )
    parser.add_argument("--bos", default="", metavar="TEXT", help="the model's beginning-of-sequence token")
    parser.add_argument("--eos", default="", metavar="TEXT", help="the model's end-of-sequence token")
    parser.add_argument("--now", metavar="ISO-TIME", help="what `strftime_now` takes for the time")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
