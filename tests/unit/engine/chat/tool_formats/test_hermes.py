"""One JSON object of the Hermes form is a call, or it is none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.reader.answer import CallPiece
from engine.chat.tool_formats.hermes import HermesFormat
from tests.unit.engine.chat.reading import parser, pieces_of


def read_call(text: str) -> tuple[str | None, str] | None:
    """Name and arguments of the call that an object is; None if it is none."""
    found = pieces_of(parser(HermesFormat()), [f"<tool_call>{text}</tool_call>"])
    return next(((piece.name, piece.arguments) for piece in found if isinstance(piece, CallPiece)), None)


arguments = st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))


@given(st.text(min_size=1), arguments, st.booleans())
def test_whatever_the_arguments_are_they_come_back(name: str, values: dict[str, object], as_text: bool) -> None:
    written = json.dumps(values) if as_text else values
    call = read_call(json.dumps({"name": name, "arguments": written}))
    assert call is not None
    assert (call[0], json.loads(call[1])) == (name, values)


@pytest.mark.parametrize(
    ("text", "arguments_json"),
    [
        ('{"name":"f","arguments":{"b": 2.50, "a":[ ]}}', '{"b": 2.50, "a":[ ]}'),
        ('{"name":"f","arguments":{"n":123456789012345678901234567890}}', '{"n":123456789012345678901234567890}'),
        ('{"id":"x","type":"function","name":"f"}', "{}"),
        ('{"name":"f","arguments":null,"parameters":{"a":1}}', '{"a":1}'),
        ('{"name":"f","arguments":{"a":"tab\there"}}', '{"a": "tab\\there"}'),
    ],
)
def test_arguments_are_spelled_as_the_model_spelled_them_unless_that_is_no_json(text: str, arguments_json: str) -> None:
    assert read_call(text) == ("f", arguments_json)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"name":null}',
        '{"name":""}',
        '{"name":"f","arguments":1}',
        '{"name":"f","arguments":"[1]"}',
        '{"name":"f","arguments":{"a":NaN}}',
        '{"name":"f","arguments":{"a":tru}}',
        '{"name":"f\n\\udfff"}',
        '{"name":"f","id":"\\x"}',
    ],
)
def test_an_object_that_describes_no_call_is_none(text: str) -> None:
    assert read_call(text) is None
