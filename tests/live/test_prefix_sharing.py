"""Who shares computed prompts with whom: what a timing would tell, `cached_tokens` says outright."""

import httpx
import openai
import pytest

from tests.launch import serving

KEYS = ("tl-test-key-ann", "tl-test-key-bob")
LONG = "one two three four five six seven eight nine ten " * 4


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys"
    path.write_text("\n".join(KEYS))
    return path


@pytest.fixture(scope="module")
def server(key_file, tmp_path_factory):
    """A server with two keys."""
    with serving(tmp_path_factory.mktemp("apart"), "--api-key-file", str(key_file)) as running:
        yield running


def cached_tokens(server, key, text, **extra):
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=0)
    (model,) = client.models.list().data
    answer = client.chat.completions.create(
        model=model.id, messages=[{"role": "user", "content": text}], max_tokens=1, extra_body=extra
    )
    return answer.usage.prompt_tokens_details.cached_tokens


def stored(server):
    """What `/v1/slots` says of the prefixes outside of the KV cache."""
    key = {"Authorization": f"Bearer {KEYS[0]}"}
    (model,) = httpx.get(f"{server.url}/v1/slots", headers=key).json()["models"]
    return {cache["cache"]: cache for cache in model["caches"]}


def test_a_key_shares_with_itself_and_with_no_other(server):
    text = "apart " + LONG
    ann, bob = KEYS
    assert [cached_tokens(server, key, text) > 32 for key in (ann, bob, ann, bob)] == [False, False, True, True]


def test_a_salt_of_their_own_keeps_requests_of_one_key_apart(server):
    text = "salted " + LONG
    salts = ("x", "y", "x", None, "")
    shared = [cached_tokens(server, KEYS[0], text, cache_salt=salt) > 32 for salt in salts]
    assert shared == [False, False, True, False, True]


def test_keys_share_where_the_operator_says_so(key_file, tmp_path):
    with serving(tmp_path, "--api-key-file", str(key_file), "--share-prefixes") as running:
        assert [cached_tokens(running, key, LONG) > 32 for key in KEYS] == [False, True]
        assert [cached_tokens(running, key, LONG, cache_salt="x") > 32 for key in KEYS] == [False, True]


def test_what_was_computed_before_a_restart_is_not_computed_again(key_file, tmp_path):
    cached = []
    for start in ("first", "second"):
        (tmp_path / start).mkdir()
        settings = ("--api-key-file", str(key_file), "--prefix-cache-dir", str(tmp_path / "prefixes"))
        with serving(tmp_path / start, *settings) as running:
            cached += [cached_tokens(running, key, "kept " + LONG * 3) > 64 for key in KEYS[: len(cached) + 1]]
            caches = stored(running)
    assert cached == [False, True, False]
    assert (caches["prefix_disk"]["hits"], caches["prefix_memory"]["hits"]) == (1, 1)
    assert caches["prefix_disk"]["entries"] > 0 < caches["prefix_disk"]["size_bytes"]
