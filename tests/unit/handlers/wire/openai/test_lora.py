"""The adapters that a request asks for."""

import pytest

from engine import LoraScale
from handlers.wire.openai import chat_completions
from handlers.wire.openai.lora import parse_lora
from tests.unit.handlers.wire.scripted import entry


@pytest.mark.parametrize(
    ("wanted", "parsed"),
    [
        (None, None),
        ([], ()),
        (
            [{"id": 0, "scale": 0.5}, {"id": "red"}],
            (LoraScale(adapter=0, scale=0.5), LoraScale(adapter="red", scale=1)),
        ),
    ],
)
def test_adapters_are_named_by_number_or_name_at_full_strength_where_no_scale_is_said(wanted, parsed):
    assert parse_lora(wanted) == parsed


def test_a_chat_request_carries_them():
    body = {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "lora": [{"id": "red"}]}
    assert chat_completions.parse(body, entry()).lora == (LoraScale(adapter="red"),)
    assert chat_completions.parse({**body, "lora": None}, entry()).lora is None
