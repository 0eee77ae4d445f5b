"""A function's name as plain text up to a mark, which several forms have in common.

Must not know any form.
"""

from engine.chat.reader.source import WHITE_SPACE, Marks, Reading, Source, Unreadable

_LONGEST_CHARACTERS = 1024


def read_plain_name(source: Source, *ends: str, no_name: tuple[str, ...] = ("\n",)) -> Reading[tuple[str, str]]:
    """The name and the one of `ends` that it stops at, which is read, too. Raises Unreadable if it is none: there is something of
    `no_name` in it, or it is too long."""
    taken: list[str] = []

    def take(text: str) -> None:
        taken.append(text)
        if sum(map(len, taken)) > _LONGEST_CHARACTERS:
            raise Unreadable("a name is shorter")

    found = yield from source.until(Marks((*ends, *no_name)), take)
    if found not in ends:
        raise Unreadable("a name stops at a mark")
    assert found is not None
    source.take(len(found))
    return "".join(taken).strip(WHITE_SPACE), found
