"""What holds for every form: a text is read the same however it is cut, and a cut text says nothing that the whole one does not."""

from engine.chat.tool_formats.form import ToolFormat
from tests.unit.engine.chat.reading import Found, in_pieces, merged, parser, pieces_of, read

SCHEMAS: dict[str, object] = {
    "weather": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "boolean"}},
        "required": ["city"],
    },
    "note": {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "tags": {"type": "array"},
            "more": {"type": "object"},
            "by": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
    },
    "now": {"type": "object", "properties": {}},
}
"""What the tables' functions take."""


def assert_reads(form: ToolFormat, text: str, expected: Found) -> None:
    """The text is read as this: whole, in pieces, as what a constraint holds to its form, and up to each place where a limit may cut it."""
    assert read(text, form, **SCHEMAS) == expected
    for size in (1, 2, 3, 7):
        assert read(in_pieces(text, size), form, **SCHEMAS) == expected
        assert read(in_pieces(text, size), form, is_certain=True, **SCHEMAS) == expected
    assert_cuts_are_prefixes(form, text)


def assert_cuts_are_prefixes(form: ToolFormat, text: str) -> None:
    """Of what the whole text says each cut one says the beginning."""
    whole = _told(form, text, is_cut=False)
    for end in range(len(text)):
        cut = _told(form, text[:end], is_cut=True)
        assert _is_beginning(cut, whole), (text[:end], cut)


def _told(form: ToolFormat, text: str, *, is_cut: bool) -> list[tuple[str, str]]:
    return list(merged(pieces_of(parser(form, **SCHEMAS), [text], is_cut=is_cut)))


def _is_beginning(cut: list[tuple[str, str]], whole: list[tuple[str, str]]) -> bool:
    kinds = [kind for kind, _ in cut] == [kind for kind, _ in whole[: len(cut)]]
    texts = all(beginning.rstrip() == text.rstrip() for (_, beginning), (_, text) in zip(cut[:-1], whole, strict=False))
    last = not cut or whole[len(cut) - 1][1].startswith(cut[-1][1].rstrip("\n "))
    return kinds and texts and last
