"""Bodies that the documents refuse: the complaint names the field and the branch that the client meant."""

import time

import pytest

import openapi
from handlers.contract.documented import Reader, operations
from handlers.contract.schemas import Schemas
from handlers.contract.violation import CheckedSchema
from handlers.contract.wording import as_refusal

DOCUMENTS = {name: openapi.document(name) for name in openapi.DOCUMENT_NAMES}
SCHEMAS = Schemas(DOCUMENTS)
OPERATIONS = {operation.key: operation for name, spec in DOCUMENTS.items() for operation in operations(name, spec)}
LEFT_OUT = object()
USER = {"role": "user", "content": "Hi"}


def refusal(key, body):
    """The refusal of `body` by an operation's schema."""
    place = OPERATIONS[key].body["application/json"]
    schema = CheckedSchema(place, Reader(place.document, DOCUMENTS[place.document]), SCHEMAS)
    assert not schema.is_valid(body)
    return as_refusal(schema.violation(body), body)


def chat(**fields):
    body = {"model": "m", "messages": [USER]} | fields
    return {key: value for key, value in body.items() if value is not LEFT_OUT}


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"temperature": 3}, "temperature", "at most 2; got 3"),
        ({"temperature": "hot"}, "temperature", "must be a number or null; got a string"),
        ({"model": LEFT_OUT}, "model", "required"),
        ({"messages": []}, "messages", "at least 1 item"),
        ({"messages": "Hi"}, "messages", "an array; got a string"),
        ({"messages": [5]}, "messages[0]", "an object; got an integer"),
        (
            {"messages": [USER, {"role": "wizard", "content": "Hi"}]},
            "messages[1].role",
            "'developer', 'system', 'user'",
        ),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role", "required"),
        ({"messages": [USER, USER, {"role": "user"}]}, "messages[2].content", "required"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "an array or a string; got an integer"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages[0].content[0].image_url.url",
            "required",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            "'text', 'image_url', 'input_audio' or 'file'; got 'smell'",
        ),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text", "required"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name", "required"),
        ({"tools": [{}]}, "tools[0].type", "required"),
        ({"tool_choice": "maybe"}, "tool_choice", "'none', 'auto' or 'required'; got 'maybe'"),
        ({"tool_choice": 5}, "tool_choice", "an object or a string; got an integer"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.function", "required"),
        ({"response_format": {"type": "xml"}}, "response_format.type", "'json_schema'"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "required"),
        ({"logit_bias": {"1": 500}}, "logit_bias.1", "at most 100; got 500"),
        (
            {"logit_bias": {"1": 5, "Paris": 5}},
            "logit_bias.Paris",
            "not a name that may stand here: expected a token's id",
        ),
        ({"keep_alive": "soon"}, "keep_alive", 'must be a duration such as "5m" or "1h30m"'),
        ({"stop": ["a"] * 9}, "stop", "at most 4 items; got an array of 9 items"),
        ({"n": 0}, "n", "at least 1; got 0"),
        ({"seed": 2**70}, "seed", "at most 9223372036854775807"),
        ({"stream": "yes"}, "stream", "a boolean or null; got a string"),
        ({"user": ["x"]}, "user", "a string; got an array"),
    ],
)
def test_a_chat_requests_fault_is_named(fields, param, words):
    error = refusal("openai.createChatCompletion", chat(**fields))
    assert error.status == 400
    assert error.param == param
    assert words in error.message
    assert f"'{param}'" in error.message


@pytest.mark.parametrize(
    ("key", "body", "param"),
    [
        ("openai.createEmbedding", {"model": "m", "input": 5}, "input"),
        ("openai.createEmbedding", {"model": "m", "input": []}, "input"),
        ("openai.createEmbedding", {"model": "m", "input": [1, "a"]}, "input[1]"),
        ("openai.createEmbedding", {"model": "m", "input": ["a", 1]}, "input[1]"),
        ("openai.createCompletion", {"model": "m", "prompt": [1, -5]}, "prompt[1]"),
        ("openai.createResponse", {"model": "m", "input": [{"role": "usr", "content": "Hi"}]}, "input[0].role"),
        ("openai.createResponse", {"model": "m", "input": [{"content": "Hi"}]}, "input[0].role"),
        ("openai.createResponse", {"model": "m", "input": [{"role": "user", "content": 5}]}, "input[0].content"),
        (
            "openai.createResponse",
            {"model": "m", "input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input[0].content[0].text",
        ),
        (
            "openai.createResponse",
            {"model": "m", "input": [{"type": "function_call", "call_id": "1", "name": "f"}]},
            "input[0].arguments",
        ),
        ("openai.createResponse", {"model": "m", "input": [{"type": "mcp_call"}]}, "input[0].type"),
        ("openai.createResponse", {"model": "m", "input": [], "tools": [{"type": "web_search"}]}, "input"),
        ("openai.createResponse", {"model": "m", "input": "Hi", "tools": [{"type": "web_search"}]}, "tools[0].type"),
        ("ollama.chat", {"model": "m", "options": {"temperature": "hot"}}, "options.temperature"),
        ("ollama.chat", {"model": "m", "think": "a lot"}, "think"),
        ("ollama.generate", {"model": "m", "keep_alive": []}, "keep_alive"),
        ("ollama.show", {"verbose": True}, "model"),
    ],
)
def test_a_fault_in_a_union_is_that_of_the_branch_meant(key, body, param):
    assert refusal(key, body).param == param


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"temperature": 3}, "decimal_above_max_value"),
        ({"n": 0}, "integer_below_min_value"),
        ({"temperature": 2.5}, "decimal_above_max_value"),
        ({"temperature": "hot"}, "invalid_type"),
        ({"model": LEFT_OUT}, "missing_required_parameter"),
        ({"tool_choice": "maybe"}, "invalid_value"),
        ({"stop": ["a"] * 9}, "array_above_max_length"),
    ],
)
def test_the_code_is_openais(fields, code):
    assert refusal("openai.createChatCompletion", chat(**fields)).code == code


@pytest.mark.parametrize("body", [[], "text", 5, None])
def test_a_body_of_another_type_is_named_as_the_body(body):
    error = refusal("openai.createChatCompletion", body)
    assert error.param is None
    assert error.message.startswith("The request body must be an object; got")


def test_a_long_value_is_described_and_not_repeated():
    error = refusal("openai.createChatCompletion", chat(tool_choice="x" * 100_000))
    assert "a string of 100000 characters" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(
    ("key", "body", "param"),
    [
        ("openai.createChatCompletion", chat(messages=[{"role": "wizard"}] * 20_000), "messages[0].role"),
        ("openai.createChatCompletion", chat(messages=[USER] * 20_000 + [{"role": "user"}]), "messages[20000].content"),
        ("openai.createChatCompletion", chat(logit_bias={str(i): "x" for i in range(100_000)}), "logit_bias.0"),
        (
            "openai.createChatCompletion",
            chat(logit_bias={str(i): i // 99_999 * 500 for i in range(100_000)}),
            "logit_bias.99999",
        ),
        ("openai.createEmbedding", {"model": "m", "input": ["a", 1] * 100_000}, "input"),
        ("ollama.embed", {"model": "m", "input": ["a"] * 200_000 + [1]}, "input[200000]"),
    ],
)
def test_a_body_of_many_parts_is_refused_about_as_fast_as_it_is_read(key, body, param):
    started = time.process_time()
    error = refusal(key, body)
    assert time.process_time() - started < 2
    assert error.param == param


def test_every_schema_that_an_operation_uses_compiles():
    for operation in OPERATIONS.values():
        contents = [operation.body, *operation.responses.values()]
        for place in (place for content in contents for place in content.values() if place is not None):
            assert SCHEMAS.validator(place) is SCHEMAS.validator(place)


def test_pointers_into_paths_with_braces_are_resolved():
    (operation,) = [operation for operation in OPERATIONS.values() if operation.key == "openai.retrieveModel"]
    (parameter,) = operation.parameters
    assert parameter.allow_slashes
    assert not SCHEMAS.validator(parameter.schema).is_valid("")
    assert Reader("openai", DOCUMENTS["openai"]).at(parameter.schema)["minLength"] == 1
