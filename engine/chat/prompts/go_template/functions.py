"""The functions that a Go template may call: those of Go's text/template that prompts use, and Ollama's.

Owns what each makes of its arguments. Must not know syntax.
"""

import operator
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from engine.chat.prompts.go_template import values
from engine.chat.prompts.go_template.values import GoError, is_true, kind_of, text_of
from engine.chat.prompts.meter import check_size, weigh

Clock = Callable[[], datetime]
_VERB = re.compile(r"%(?P<flags>[-+0]?)(?P<width>\d{0,2})(?P<precision>\.\d{0,2})?(?P<verb>.)?", re.DOTALL)
_COMPARABLE = (str, int, float)
LAZY = frozenset({"and", "or"})
"""Those whose later arguments are looked at only if need be: the evaluator's business."""


def functions(clock: Clock) -> dict[str, Callable[..., Any]]:
    """Every function by name; those of LAZY are called with all arguments here. Dates have one format, as in Ollama."""
    return _FUNCTIONS | {
        "currentDate": lambda *_formats: clock().date().isoformat(),
        "yesterdayDate": lambda *_formats: date.fromordinal(clock().toordinal() - 1).isoformat(),
    }


def _equal(first: Any, *others: Any) -> bool:
    """`eq`: whether the first is one of the others."""
    if not others:
        raise GoError("eq needs something to compare with")
    return any(_same(first, other) for other in others)


def _same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    kinds = kind_of(left), kind_of(right)
    if kinds[0] != kinds[1]:
        raise GoError(f"a {kinds[0]} is compared with a {kinds[1]}")
    if not isinstance(left, _COMPARABLE):
        raise GoError(f"a {kinds[0]} cannot be compared")
    return bool(left == right)


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(left: Any, right: Any) -> bool:
        kinds = kind_of(left), kind_of(right)
        if kinds[0] != kinds[1] or not isinstance(left, _COMPARABLE) or isinstance(left, bool):
            raise GoError(f"a {kinds[0]} is ordered with a {kinds[1]}")
        return compare(left, right)

    return ordered


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        value = values.element(value, key)
    return value


def _print(*items: Any) -> str:
    """As Go's Sprint: a space stands between two that are both no text."""
    text = ""
    for number, item in enumerate(items):
        apart = number and not isinstance(item, str) and not isinstance(items[number - 1], str)
        text += (" " if apart else "") + text_of(item, is_inner=True)
        check_size(len(text))
    return text


def _println(*items: Any) -> str:
    return " ".join(text_of(item, is_inner=True) for item in items) + "\n"


def _printf(pattern: Any, *items: Any) -> str:
    if not isinstance(pattern, str):
        raise GoError(f"printf needs a text to begin with, not a {kind_of(pattern)}")
    rest = list(items)
    check_size(len(pattern) + sum(weigh(text_of(item, is_inner=True)) for item in items if item is not None))
    text = _VERB.sub(lambda match: _formatted(match, rest), pattern)
    if rest:
        raise GoError(f"printf has {len(rest)} arguments more than verbs")
    return text


def _formatted(match: re.Match[str], rest: list[Any]) -> str:
    verb = match["verb"]
    if verb == "%":
        return "%"
    if verb is None or verb not in "svdqtfgx":
        raise GoError(f"printf's {match[0]!r} is not supported; there are %s %v %d %q %t %f %g %x")
    if not rest:
        raise GoError(f"printf has no argument for {match[0]!r}")
    value = rest.pop(0)
    kinds = {"d": int, "x": int, "t": bool, "f": float, "g": float}
    if verb in kinds and type(value) is not kinds[verb]:
        raise GoError(f"printf's {match[0]!r} is given a {kind_of(value)}")
    if verb in "dxfg":
        return str(f"%{match['flags']}{match['width']}{match['precision'] or ''}{verb}" % value)
    text = values.json_text(text_of(value)) if verb == "q" else text_of(value, is_inner=True)
    if match["precision"]:
        text = text[: int(match["precision"][1:] or 0)]
    width = int(match["width"] or 0)
    return text.ljust(width) if match["flags"] == "-" else text.rjust(width)


def _and(first: Any, *others: Any) -> Any:
    return next((item for item in (first, *others) if not is_true(item)), (first, *others)[-1])


def _or(first: Any, *others: Any) -> Any:
    return next((item for item in (first, *others) if is_true(item)), (first, *others)[-1])


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": _and,
    "or": _or,
    "not": lambda value: not is_true(value),
    "eq": _equal,
    "ne": lambda left, right: not _same(left, right),
    "lt": _ordering(operator.lt),
    "le": _ordering(operator.le),
    "gt": _ordering(operator.gt),
    "ge": _ordering(operator.ge),
    "len": values.length,
    "index": _index,
    "slice": lambda value, *bounds: values.part(value, bounds),
    "json": values.json_text,
    "print": _print,
    "println": _println,
    "printf": _printf,
}
