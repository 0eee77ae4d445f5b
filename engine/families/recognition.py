"""Which family a model is of, told from what its file says, and only then from the file's name. Must not know how a file is read."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec

from engine.families.record import FAMILIES, LAST_RESORT, Family


class _Sign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is said here holds of a model of `family`. `name` is a regular expression, for a name in lower case."""

    family: str
    architectures: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    tokenizer: str | None = None
    pre_tokenizer: str | None = None
    name: str | None = None


class _Signs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sign: tuple[_Sign, ...]


_SIGNS = msgspec.toml.decode(files("engine.families").joinpath("signs.toml").read_bytes(), type=_Signs).sign

MARKS = tuple(dict.fromkeys(token for sign in _SIGNS for token in sign.tokens))
"""The tokens by which families are told apart."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to tell a family from. `names`: what the file says that its model is called; `tokens`: which of MARKS it has;
    `repository`: where the file comes from, if that is known."""

    architecture: str
    tokenizer: str = ""
    pre_tokenizer: str = ""
    names: tuple[str, ...] = ()
    repository: str = ""
    file_name: str = ""
    tokens: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Recognition:
    """A model's family and why it is taken for one; `is_known` is False where it is the last resort."""

    family: Family
    reason: str
    is_known: bool = True


_UNKNOWN = Recognition(LAST_RESORT, "nothing in it tells of a family known here", is_known=False)


def recognise(facts: Facts) -> Recognition:
    """The family of a model: the first sign that holds, of what the file says before what it is called."""
    return next(_recognitions(facts), _UNKNOWN)


def _recognitions(facts: Facts) -> Iterator[Recognition]:
    unnamed = [sign for sign in _SIGNS if sign.name is None]
    named = [sign for sign in _SIGNS if sign.name is not None]
    yield from _matches(unnamed, facts, (), "")
    yield from _matches(named, facts, facts.names, "its metadata call it")
    yield from _matches(named, facts, (facts.repository,), "its repository is called")
    yield from _matches(named, facts, (facts.file_name,), "its file is called")


def _matches(signs: Sequence[_Sign], facts: Facts, names: tuple[str, ...], by_name: str) -> Iterator[Recognition]:
    for sign in signs:
        if not _holds(sign, facts):
            continue
        found = _named(sign, names)
        if sign.name is not None and found is None:
            continue
        reason = f"{by_name} {found!r}" if found else _reason(sign, facts)
        yield Recognition(FAMILIES[sign.family], reason)


def _holds(sign: _Sign, facts: Facts) -> bool:
    said: tuple[tuple[Any, Any], ...] = (
        (sign.tokenizer, facts.tokenizer),
        (sign.pre_tokenizer, facts.pre_tokenizer),
    )
    return (
        (not sign.architectures or facts.architecture in sign.architectures)
        and facts.tokens.issuperset(sign.tokens)
        and all(expected in (None, value) for expected, value in said)
    )


def _named(sign: _Sign, names: tuple[str, ...]) -> str | None:
    pattern = sign.name
    return None if pattern is None else next((name for name in names if re.search(pattern, name.lower())), None)


def _reason(sign: _Sign, facts: Facts) -> str:
    parts = [f"its architecture is {facts.architecture}"] if sign.architectures else []
    if sign.tokens:
        parts.append(f"its vocabulary has {' '.join(sign.tokens)}")
    return " and ".join(parts)
