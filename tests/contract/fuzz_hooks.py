"""What Schemathesis must be told about this API: how NDJSON reads, which model exists, and that an answer may be short.

Loaded by schemathesis.toml. A request that the document calls valid is pointed at the bundled model and kept to a few tokens, so that
the search spends its time on the contract; a request that is meant to be refused is left as it is.
"""

import json

import schemathesis

from tests.launch import DEMO_MODEL

MAX_TOKENS = 8
LENGTH_FIELDS = {
    "/chat/completions": "max_completion_tokens",
    "/completions": "max_tokens",
}
OLLAMA_GENERATION = {"/api/generate", "/api/chat"}


@schemathesis.deserializer("application/x-ndjson")
def ndjson(_context, response):
    """The stream's lines as one list, as the document describes it."""
    return [json.loads(line) for line in response.content.splitlines() if line.strip()]


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if not case.meta.generation.mode.is_positive:
        return
    if case.path_parameters and "model" in case.path_parameters:
        case.path_parameters["model"] = DEMO_MODEL
    if isinstance(case.body, dict):
        if "model" in case.body:
            case.body["model"] = DEMO_MODEL
        keep_short(case.operation.path, case.body)


def keep_short(path, body):
    """Bound the answer's length where the request leaves it open or large."""
    if path in LENGTH_FIELDS:
        bound(body, LENGTH_FIELDS[path])
    elif path in OLLAMA_GENERATION and isinstance(body.setdefault("options", {}), dict):
        bound(body["options"], "num_predict")


def bound(fields, name):
    """Lower the field `name`, where it is missing, null, without limit (negative) or more than MAX_TOKENS."""
    if fields.get(name) is None or not 0 <= fields[name] <= MAX_TOKENS:
        fields[name] = MAX_TOKENS
