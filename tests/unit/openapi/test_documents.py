"""The documents themselves: what routing, validation, the docs page and the fuzzer rely on holds in each of them."""

import re

import pytest
from jsonschema_rs import Draft202012Validator, Registry

import openapi
from tools.check_documents import main as check_documents

METHODS = {"get", "put", "post", "delete", "head"}


def operations():
    for name in openapi.DOCUMENT_NAMES:
        for path, item in openapi.document(name)["paths"].items():
            for method, node in item.items():
                yield name, openapi.document(name)["servers"][0]["url"].rstrip("/") + path, method, node


OPERATIONS = [pytest.param(*found, id=f"{found[0]}.{found[3]['operationId']}") for found in operations()]


def validator(name, schema):
    """The validator of a schema that is a reference within the document."""
    registry = Registry([(f"urn:{name}", openapi.document(name))])
    return Draft202012Validator({"$ref": f"urn:{name}{schema['$ref']}"}, registry=registry)


def test_every_document_is_valid_openapi():
    """The specification's own schema accepts all three."""
    assert check_documents() == 0


def test_a_document_is_parsed_once():
    """Reading a document twice gives the same object."""
    assert openapi.document("ollama") is openapi.document("ollama")


@pytest.mark.parametrize(("name", "path", "method", "node"), OPERATIONS)
def test_every_operation_says_what_it_does(name, path, method, node):
    """The docs page has a title, a sentence and a group for each operation, and a method that HTTP knows."""
    assert method in METHODS
    assert node["summary"]
    assert node["description"]
    assert {tag["name"] for tag in openapi.document(name)["tags"]} >= set(node["tags"])


@pytest.mark.parametrize(("name", "path", "method", "node"), OPERATIONS)
def test_every_operation_documents_its_errors(name, path, method, node):
    """Whatever fails, the client can look its body up."""
    assert "default" in node["responses"]


@pytest.mark.parametrize(("name", "path", "method", "node"), OPERATIONS)
def test_keys_guard_the_apis_and_nothing_else(name, path, method, node):
    """`/v1`, `/api` and the metrics want a key; health, documents and the greeting do not."""
    needed = node.get("security", openapi.document(name)["security"])
    assert bool(needed) == path.startswith(("/v1/", "/api/", "/metrics"))


@pytest.mark.parametrize(
    ("name", "path", "method", "node"), [found for found in OPERATIONS if "requestBody" in found.values[3]]
)
def test_every_example_is_a_legal_body(name, path, method, node):
    """ "Try it out" starts with a request that passes validation, for the model in the box where it can do it."""
    media = node["requestBody"]["content"]["application/json"]
    examples = [example["value"] for example in media["examples"].values()]
    assert examples
    check = validator(name, media["schema"])
    assert [list(check.iter_errors(example)) for example in examples] == [[]] * len(examples)
    model = "my-reranker" if node["operationId"] == "rerank" else "trueline-demo"  # the model in the box does not rank
    assert {example["model"] for example in examples} == {model}


@pytest.mark.parametrize(("name", "path", "method", "node"), OPERATIONS)
def test_streams_are_described_event_by_event(name, path, method, node):
    """Server-sent events have an envelope with the payload's schema; lines of JSON are the items of an array. Events with names say in
    themselves when they are the last, the others by a mark."""
    content = node["responses"]["200"].get("content", {})
    if "text/event-stream" in content:
        reference = content["text/event-stream"]["schema"]["$ref"].rpartition("/")[2]
        envelope = openapi.document(name)["components"]["schemas"][reference]
        alternatives = envelope["properties"]["data"]["anyOf"]
        if "event" in envelope["required"]:
            assert [set(alternative) for alternative in alternatives] == [{"type", "contentMediaType", "contentSchema"}]
        else:
            assert alternatives[0] == {"const": "[DONE]"}
            assert len(alternatives[1]["contentSchema"]["anyOf"]) == 2
    if "application/x-ndjson" in content:
        assert content["application/x-ndjson"]["schema"]["type"] == "array"


def test_operation_ids_are_unique_with_their_document():
    """The contract binds functions by `document.operationId`."""
    keys = [f"{name}.{node['operationId']}" for name, _, _, node in operations()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("duration", "legal"),
    [
        ("5m", True),
        ("-1", False),
        ("30", False),
        ("-1s", True),
        ("1h30m", True),
        ("1.5s", True),
        ("0", True),
        ("300ms", True),
        ("", False),
    ]
    + [(text, False) for text in ("m", "5 m", "5m ", "1d", "five minutes", "5m\n")],
)
@pytest.mark.parametrize("name", ["openai", "ollama"])
def test_keep_alive_takes_durations_as_go_spells_them(name, duration, legal):
    """A text is a duration with units, or a zero."""
    schema = {"$ref": "#/components/schemas/KeepAlive"}
    assert validator(name, schema).is_valid(duration) is legal


@pytest.mark.parametrize("name", ["openai", "ollama"])
def test_reasons_are_sentences(name):
    """Each refusal reads as a sentence in an error message."""
    entries = openapi.coverage()[name].values()
    uses = [use for entry in entries for use in entry.get("parameters", {}).values() if isinstance(use, dict)]
    reasons = [item["reason"] for item in [*entries, *uses] if "reason" in item]
    assert [reason for reason in reasons if not re.fullmatch(r"[A-Z].*\.", reason)] == []
