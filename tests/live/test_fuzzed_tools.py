"""Whatever tools are offered: the answer is one, or a refusal of what was asked; never a failure of the server, and never none."""

import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHORT_EXAMPLES = 40
MAX_TOKENS = 12
LONGEST_SECONDS = 60

names = st.one_of(st.sampled_from(["get_weather", "a", "a.b-c"]), st.text(min_size=1, max_size=8))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
types = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
patterns = st.sampled_from(["^a+$", "a|b", '"', r"\d{2,3}", r"(?=a)", "(", r"^\p{L}*$", ".*", '[^"]{500}', "(a*)*b"])
plain_schemas = st.one_of(
    st.booleans(),
    st.builds(dict),
    st.fixed_dictionaries({"type": types | st.lists(types, max_size=2)}),
    st.fixed_dictionaries({"enum": st.lists(values, max_size=3)}),
    st.fixed_dictionaries({"const": values}),
    st.fixed_dictionaries({"type": st.just("string"), "pattern": patterns}),
    st.fixed_dictionaries({"type": st.just("string"), "format": st.sampled_from(["date", "email", "nonsense"])}),
    st.fixed_dictionaries({"type": types, "minimum": st.integers(), "multipleOf": st.floats(-1, 3)}),
    st.fixed_dictionaries({"minLength": st.integers(-1, 99), "maxLength": st.integers(-1, 10**9)}),
    st.fixed_dictionaries(
        {"$ref": st.sampled_from(["#", "#/$defs/a", "#/$defs/none", "other.json", "#/properties/a"])}
    ),
)


def nested(inner):
    members = st.dictionaries(st.sampled_from(["a", "city"]) | texts, inner, max_size=3)
    return st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": members},
            optional={
                "required": st.lists(st.sampled_from(["a", "city", "missing"]) | texts, max_size=2),
                "additionalProperties": inner,
                "patternProperties": st.dictionaries(patterns, inner, max_size=1),
                "$defs": st.fixed_dictionaries({"a": inner}),
                "minProperties": st.integers(0, 3),
                "dependentRequired": st.just({"a": ["b"]}),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={
                "minItems": st.integers(0, 3),
                "maxItems": st.integers(0, 10**9),
                "uniqueItems": st.booleans(),
                "prefixItems": st.lists(inner, max_size=2),
            },
        ),
        *(st.fixed_dictionaries({key: st.lists(inner, max_size=3)}) for key in ("anyOf", "oneOf", "allOf")),
        st.fixed_dictionaries({"not": inner}),
    )


schemas = st.recursive(plain_schemas, nested, max_leaves=8)
wrong = st.sampled_from(
    [{"type": 5}, {"type": "object", "properties": []}, {"type": "object", "required": "a"}, {"properties": {"a": 1}}]
)
parameters = nested(schemas) | wrong | st.dictionaries(texts, values, max_size=2)
functions = st.fixed_dictionaries(
    {"name": names},
    optional={"description": texts, "parameters": parameters, "strict": st.booleans()},
)
grammars = st.one_of(
    st.builds(lambda regex: {"syntax": "regex", "definition": regex}, patterns | texts),
    st.builds(
        lambda terminal, ignored: {"syntax": "lark", "definition": f"start: A+ (B | start)?\nA: /{terminal}/\nB: {ignored}"},
        patterns | texts,
        st.sampled_from(['"x"', '"\\n"i', "/.+/", "A", "start", "<think>", "%json {}", "/\\s/\n%ignore /[ \\n]+/", '"a".."z"']),
    ),
    st.builds(lambda text: {"syntax": "lark", "definition": text}, texts),
)  # fmt: skip
customs = st.fixed_dictionaries(
    {"name": names},
    optional={"format": st.builds(lambda grammar: {"type": "grammar", "grammar": grammar}, grammars)},
)
tools = st.one_of(
    st.builds(lambda function: {"type": "function", "function": function}, functions),
    st.builds(lambda custom: {"type": "custom", "custom": custom}, customs),
)


@st.composite
def openai_requests(draw):
    offered = draw(st.lists(tools, min_size=1, max_size=3))
    named = {"type": offered[0]["type"], offered[0]["type"]: {"name": offered[0][offered[0]["type"]]["name"]}}
    return {
        "tools": offered,
        "tool_choice": draw(st.sampled_from(["auto", "required", "none", named])),
        "parallel_tool_calls": draw(st.booleans()),
        "max_completion_tokens": MAX_TOKENS,
    }


@st.composite
def ollama_requests(draw):
    offered = [{"type": "function", "function": draw(functions)} for _ in range(draw(st.integers(1, 2)))]
    for tool in offered:
        tool["function"].pop("strict", None)
    return {"tools": offered, "options": {"num_predict": MAX_TOKENS}}


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url, timeout=LONGEST_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def fuzzed(pytestconfig):
    """Tries a test's strategy as often as was asked for."""
    examples = pytestconfig.getoption("--fuzz-examples") or SHORT_EXAMPLES

    def run(strategy, check):
        settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))(
            given(strategy)(check)
        )()

    return run


def assert_answered(response):
    """A whole answer, a whole stream, or a refusal that names what is wrong."""
    if response.status_code != 200:
        assert response.status_code == 400, response.text
        return
    lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith(("data: ", "{"))]
    events = [json.loads(line) for line in lines if line != "[DONE]"]
    errors = [event["error"] for event in events if "error" in event]
    assert all("unsupported_schema" in json.dumps(error) or "too complex" in json.dumps(error) for error in errors), (
        errors
    )
    assert errors or "[DONE]" in lines or len(events) == 1 or events[-1]["done"]


@pytest.mark.timeout(0)  # bounded by the number of examples; a request that hangs ends by the client's timeout
@pytest.mark.parametrize("stream", [True, False])
def test_no_tools_break_openais_chat(client, model, fuzzed, stream):
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]

    def check(fields):
        body = {"model": model, "messages": messages, "stream": stream, "temperature": 1, "seed": 1, **fields}
        assert_answered(client.post("/v1/chat/completions", json=body))

    fuzzed(openai_requests(), check)


@pytest.mark.timeout(0)  # as above
@pytest.mark.parametrize("stream", [True, False])
def test_no_tools_break_ollamas_chat(client, model, fuzzed, stream):
    messages = [{"role": "user", "content": "What is the weather in Paris?"}]

    def check(fields):
        assert_answered(
            client.post("/api/chat", json={"model": model, "messages": messages, "stream": stream, **fields})
        )

    fuzzed(ollama_requests(), check)
