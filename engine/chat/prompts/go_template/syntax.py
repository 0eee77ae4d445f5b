"""The syntax tree of a Go template. Every node knows its place in the text. Must not know how it is evaluated."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, boolean or nil."""

    offset: int
    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """`names` of fields, one within the other, from `base`; no names: the base itself. `base` None is the dot."""

    offset: int
    base: "str | Pipeline | None"
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """As it is written."""
        base = self.base if isinstance(self.base, str) else "" if self.base is None else "(...)"
        return base + "".join(f".{name}" for name in self.names) or "."


@dataclass(frozen=True, slots=True)
class Function:
    """A function by name."""

    offset: int
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """A function with its arguments, or one value."""

    offset: int
    operands: "tuple[Literal | Path | Function, ...]"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands, each given the result of the one before. `variables` take the last result; `declares`: they are new."""

    offset: int
    variables: tuple[str, ...]
    declares: bool
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Text to write."""

    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """A pipeline whose value is written, unless a variable takes it."""

    offset: int
    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If:
    """`if`, or `with` where `sets_dot`."""

    offset: int
    pipeline: Pipeline
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"
    sets_dot: bool


@dataclass(frozen=True, slots=True)
class Range:
    """`range`; its pipeline's variables are set in each turn."""

    offset: int
    pipeline: Pipeline
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Jump:
    """`break` or `continue`."""

    offset: int
    is_break: bool


Node = Text | Output | If | Range | Jump
