"""Regular expressions as trees, and what may follow where in them (by Glushkov's construction).

Owns finding out what may come behind each whole text of an expression. Must not know how an expression is written.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

_MOST_STATES = 100


@dataclass(frozen=True)
class Atom:
    """What stands for one character: of some, or itself. `escaped`: those that JSON escapes; `samples`: of a sample of all, its own."""

    text: str
    escaped: tuple[str, ...]
    samples: frozenset[str]

    @property
    def is_set(self) -> bool:
        """Whether it stands for one of several characters."""
        return self.text[0] == "[" or (self.text[0] == "\\" and self.text[1] in "dDsSwW")

    @property
    def has_escapes(self) -> bool:
        """Whether JSON escapes one of its characters."""
        return bool(self.escaped)


@dataclass(frozen=True)
class Series:
    """One behind the other."""

    items: "tuple[Node, ...]"

    @property
    def text(self) -> str:
        """The expression."""
        return f"(?:{''.join(item.text for item in self.items)})"

    @property
    def has_escapes(self) -> bool:
        """Whether JSON escapes a character of it."""
        return any(item.has_escapes for item in self.items)


@dataclass(frozen=True)
class Choice:
    """One of several."""

    items: "tuple[Node, ...]"

    @property
    def text(self) -> str:
        """The expression."""
        return f"(?:{'|'.join(item.text for item in self.items)})"

    @property
    def has_escapes(self) -> bool:
        """Whether JSON escapes a character of it."""
        return any(item.has_escapes for item in self.items)


@dataclass(frozen=True)
class Repeat:
    """A number of times."""

    item: "Node"
    quantifier: str

    @property
    def text(self) -> str:
        """The expression."""
        return self.item.text + self.quantifier

    @property
    def has_escapes(self) -> bool:
        """Whether JSON escapes a character of it."""
        return self.item.has_escapes

    @property
    def bounds(self) -> tuple[int, int | None]:
        """How often at least, and at most."""
        if named := {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self.quantifier):
            return named
        least, comma, most = self.quantifier.strip("{}").partition(",")
        return int(least), int(most or 0) or None if comma else int(least)


Node = Atom | Series | Choice | Repeat


class Positions:
    """The atoms of an expression, repeated ones as often as they may stand, and which may follow which."""

    def __init__(self, tree: Node, *, at_most: int) -> None:
        """With more atoms than `at_most`, any may follow any."""
        self._atoms: list[Atom] = []
        self._follow: list[set[int]] = []
        self._at_most = at_most
        self._whole = self._visit(tree)

    def behind_ends(self) -> Iterator[list[Atom]]:
        """For each way in which a text of the expression may end: the atoms that may go on with it."""
        if len(self._atoms) > self._at_most:
            yield self._atoms
            return
        start: frozenset[int] = frozenset()
        seen, unread = {start}, [start]
        while unread:
            state = unread.pop()
            following = set().union(*(self._follow[position] for position in state)) if state else self._whole.first
            if state & self._whole.last:
                yield [self._atoms[position] for position in following]
            new = self._states_behind(following) - seen
            seen |= new
            unread += new
            if len(seen) > _MOST_STATES:
                yield self._atoms
                return

    def _states_behind(self, following: set[int]) -> set[frozenset[int]]:
        by_character: dict[str, set[int]] = {}
        for position in following:
            for character in self._atoms[position].samples:
                by_character.setdefault(character, set()).add(position)
        return {frozenset(positions) for positions in by_character.values()}

    def _visit(self, node: Node) -> "_Ends":
        if len(self._atoms) > self._at_most:
            return _Ends(True, set(), set())
        match node:
            case Atom():
                self._atoms.append(node)
                self._follow.append(set())
                position = {len(self._atoms) - 1}
                return _Ends(False, position, set(position))
            case Series():
                ends = _Ends(True, set(), set())
                for item in node.items:
                    ends = self._joined(ends, self._visit(item))
                return ends
            case Choice():
                each = [self._visit(item) for item in node.items]
                return _Ends(
                    any(ends.is_nullable for ends in each),
                    set().union(*(ends.first for ends in each)),
                    set().union(*(ends.last for ends in each)),
                )
            case Repeat():
                return self._repeated(node)

    def _repeated(self, node: Repeat) -> "_Ends":
        least, most = node.bounds
        ends = _Ends(True, set(), set())
        for number in range(min(least if most is None else most, self._at_most)):
            item = self._visit(node.item)
            ends = self._joined(ends, item if number < least else replace(item, is_nullable=True))
        if most is None:
            loop = self._visit(node.item)
            self._link(loop.last, loop.first)
            ends = self._joined(ends, replace(loop, is_nullable=True))
        return ends

    def _joined(self, before: "_Ends", behind: "_Ends") -> "_Ends":
        self._link(before.last, behind.first)
        return _Ends(
            before.is_nullable and behind.is_nullable,
            before.first | (behind.first if before.is_nullable else set()),
            behind.last | (before.last if behind.is_nullable else set()),
        )

    def _link(self, last: set[int], first: set[int]) -> None:
        for position in last:
            self._follow[position] |= first


@dataclass(frozen=True)
class _Ends:
    """Of a part: whether it may be empty, and the positions that it may begin and end with."""

    is_nullable: bool
    first: set[int]
    last: set[int]
