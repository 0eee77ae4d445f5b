"""A server that was told to be strict refuses what no document knows."""

import httpx
import pytest

from tests.launch import DEMO_MODEL, serving
from tests.live.clients import ask


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("strict"), "--strict") as running:
        yield running


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("/v1/chat/completions", {"messages": ask("Hello!"), "max_completion_tokens": 2}),
        ("/api/chat", {"messages": ask("Hello!"), "stream": False, "options": {"num_predict": 2}}),
        ("/v1/tokenize", {"text": "Hello!"}),
    ],
)
def test_an_unknown_key_is_refused_by_name_and_known_ones_are_not(path, rest, strict):
    body = {"model": DEMO_MODEL} | rest
    assert httpx.post(strict.url + path, json=body, timeout=30).status_code == 200
    refused = httpx.post(strict.url + path, json=body | {"frobnicate": 1})
    assert refused.status_code == 400
    assert "frobnicate" in refused.text


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{**ask("Hello!")[0], "name": "ada"}]}, "messages[0].name"),
        ({"messages": ask("Hello!"), "chat_template_kwargs": {"shout": True}}, "chat_template_kwargs.shout"),
    ],
)
def test_what_the_template_has_no_use_for_is_refused_by_name(fields, param, strict):
    refused = httpx.post(f"{strict.url}/v1/chat/completions", json={"model": DEMO_MODEL, **fields}, timeout=30)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
