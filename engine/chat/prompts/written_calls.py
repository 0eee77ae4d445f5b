"""Tool calls written out as a model writes them, for templates that show nothing of a message but its text.

Such templates expect calls in the text, in the form that the model was taught. Must not know how calls are read back.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from engine.request import JsonObject

Writer = Callable[[Sequence[tuple[str, Any]]], str]


def written_calls(calls: Sequence[JsonObject], template_source: str) -> str:
    """The text of `calls` in the form whose marks the template mentions; Hermes' where it mentions none that is known here."""
    write = next((write for mark, write in _WRITERS.items() if mark in template_source), _hermes)
    return write([(call["function"]["name"], _arguments(call["function"].get("arguments"))) for call in calls])


def _arguments(given: Any) -> Any:
    """As an object where it is one."""
    if not isinstance(given, str):
        return {} if given is None else given
    try:
        return json.loads(given or "{}")
    except (ValueError, RecursionError):
        return given


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _hermes(calls: Sequence[tuple[str, Any]]) -> str:
    objects = (_json({"name": name, "arguments": arguments}) for name, arguments in calls)
    return "\n".join(f"<tool_call>\n{text}\n</tool_call>" for text in objects)


def _listed(mark: str) -> Writer:
    """A mark, then a JSON list of calls."""

    def write(calls: Sequence[tuple[str, Any]]) -> str:
        return mark + _json([{"name": name, "arguments": arguments} for name, arguments in calls])

    return write


def _pythonic(calls: Sequence[tuple[str, Any]]) -> str:
    """LFM2's: Python calls in a list."""
    return f"<|tool_call_start|>[{', '.join(_python_call(*call) for call in calls)}]<|tool_call_end|>"


def _python_call(name: str, arguments: Any) -> str:
    if isinstance(arguments, dict):
        return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
    return f"{name}({arguments!r})"


def _deepseek_mark(words: str) -> str:
    return f"<\uff5c{words.replace(' ', chr(0x2581))}\uff5c>"


_DEEPSEEK_CALLS = _deepseek_mark("tool calls begin")


def _deepseek(calls: Sequence[tuple[str, Any]]) -> str:
    begin, separator, end = map(_deepseek_mark, ("tool call begin", "tool sep", "tool call end"))
    blocks = (f"{begin}function{separator}{name}\n```json\n{_json(arguments)}\n```{end}" for name, arguments in calls)
    return _DEEPSEEK_CALLS + "\n".join(blocks) + _deepseek_mark("tool calls end")


_WRITERS: dict[str, Writer] = {
    "<|tool_list_start|>": _pythonic,
    "<|tool_call_start|>": _pythonic,
    "<|tool_call|>": _listed("<|tool_call|>"),
    "[TOOL_CALLS]": _listed("[TOOL_CALLS]"),
    _DEEPSEEK_CALLS: _deepseek,
}
