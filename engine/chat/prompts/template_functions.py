"""The functions, filters and operators that a chat template may use, where Jinja's own would let it make much of little.

Owns what each of them may produce. Sizes are judged before the work is done, because a single step in C cannot be interrupted.
"""

import json
import re
from collections.abc import Callable, Iterable
from types import GeneratorType
from typing import Any

import markupsafe
from jinja2 import pass_environment
from jinja2.environment import Environment
from jinja2.filters import do_indent, do_round, do_sum
from jinja2.runtime import Undefined

from engine.chat.prompts.meter import OutOfBounds, check_size, weigh

_PRINTABLE = (str, int, float, type(None), list, tuple, dict, Undefined)
_WIDE_PERCENT = re.compile(r"%[^a-zA-Z%]*(\d{4}|\*)|%\(")
_WIDE_BRACE = re.compile(r"\{[^{}]*(\d{4}|\{)")
_MAX_INTEGER_BITS = 4096
_MAX_INDENT = 16
_MAX_SEPARATOR = 8


def text_of(value: Any) -> str:
    """The text that a value is written as. Raises TypeError for objects that are no JSON value, such as a namespace."""
    if isinstance(value, str):
        return value
    weigh(value, only=_PRINTABLE)
    return str(value)


def bounded_texts(values: Iterable[Any], separator: str = "") -> list[str]:
    """The texts of `values`, which may be joined."""
    texts: list[str] = []
    length = 0
    for value in values:
        texts.append(text_of(value))
        length = check_size(length + len(texts[-1]) + len(separator))
    return texts


def check_operation(operator: str, left: Any, right: Any) -> None:
    """Refuses an operation whose result would be out of bounds."""
    if operator == "%" and isinstance(left, str):
        check_format(left, right)
    elif operator == "*":
        for sequence, count in ((left, right), (right, left)):
            if isinstance(sequence, str | list | tuple) and isinstance(count, int):
                check_size(weigh(sequence) * max(count, 0))
    if operator in {"*", "**"} and isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * max(right, 0) if operator == "**" else left.bit_length() + right.bit_length()
        if bits > _MAX_INTEGER_BITS:
            raise OutOfBounds(f"it computes with numbers of more than {_MAX_INTEGER_BITS} bits")


def check_format(pattern: str, arguments: Any) -> None:
    """Refuses to pad or repeat what is formatted without bounds."""
    if _WIDE_PERCENT.search(pattern) or _WIDE_BRACE.search(pattern.replace("{{", "")):
        raise OutOfBounds("it formats text to a width that is too large or computed, or by name")
    fields = pattern.count("%") + pattern.count("{")
    check_size(len(pattern) + fields * weigh(arguments, only=_PRINTABLE) // 8)


def checked_arguments(function: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments for a call; raises OutOfBounds where a string's method would make too much of them."""
    owner = getattr(function, "__self__", None)
    if isinstance(owner, str) and function.__name__ == "replace" and len(args) >= 2:
        _check_replacement(owner, text_of(args[0]), text_of(args[1]))
    elif isinstance(owner, str) and function.__name__ == "join" and args:
        items = list(args[0])
        bounded_texts(items, owner)
        return (items, *args[1:])
    return args


def _check_replacement(text: str, old: str, new: str) -> None:
    check_size(len(text) + text.count(old) * max(len(new) - len(old), 0))


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = text_of(value), text_of(old), text_of(new)
    _check_replacement(text, old, new)
    return text.replace(old, new, count)


@pass_environment
def _join(environment: Environment, value: Iterable[Any], d: str = "", attribute: str | None = None) -> str:
    separator = text_of(d)
    items = value if attribute is None else (environment.getitem(item, attribute) for item in value)
    return separator.join(bounded_texts(items, separator))


def _indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:
    text = text_of(value)
    check_size(len(text) + (len(text.splitlines()) + 1) * (len(width) if isinstance(width, str) else width))
    return do_indent(text, width, first, blank)


def _round(value: float, precision: int = 0, method: Any = "common") -> float:
    if abs(precision) > 100:
        raise OutOfBounds("it rounds to more than 100 digits")
    return do_round(value, precision, method)


@pass_environment
def _sum(environment: Environment, iterable: Iterable[Any], attribute: str | None = None, start: float = 0) -> Any:
    if not isinstance(start, int | float):
        raise TypeError("sum adds numbers only")
    return do_sum(environment, iterable, attribute, start)


def _escape(value: Any) -> str:
    return str(markupsafe.escape(text_of(value)))


def to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON text as Hugging Face's `tojson` writes it: characters as they are, nothing escaped for HTML. What a filter such as `map` makes
    is written as a list."""
    if isinstance(value, GeneratorType):
        value = list(value)
    weigh(value, only=_PRINTABLE)
    if (len(indent) if isinstance(indent, str) else indent or 0) > _MAX_INDENT:
        raise OutOfBounds(f"it indents JSON by more than {_MAX_INDENT}")
    if separators is not None and sum(map(len, separators)) > _MAX_SEPARATOR:
        raise OutOfBounds(f"it separates JSON by more than {_MAX_SEPARATOR} characters")
    encoder = json.JSONEncoder(ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
    return encoder.encode(value) if indent is None else "".join(bounded_texts(encoder.iterencode(value)))


def _from_json(text: str) -> Any:
    return json.loads(text)


FILTERS: dict[str, Callable[..., Any]] = {
    "e": _escape,
    "escape": _escape,
    "from_json": _from_json,
    "indent": _indent,
    "join": _join,
    "replace": _replace,
    "round": _round,
    "safe": text_of,
    "string": text_of,
    "sum": _sum,
    "tojson": to_json,
}
