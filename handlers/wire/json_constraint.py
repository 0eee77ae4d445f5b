"""JSON Schemas on their way to the engine. Must not know which field asked for one; whether it can be kept is the engine's word."""

import json

from engine import JsonConstraint, JsonObject
from handlers.wire.refusal import InvalidParameter


def object_constraint() -> JsonConstraint:
    """Any JSON object: OpenAI's `json_object`, Ollama's `json`."""
    return JsonConstraint(schema='{"type":"object"}')


def schema_constraint(schema: JsonObject, param: str) -> JsonConstraint:
    """JSON that is valid under `schema`. Raises InvalidParameter for one too deep to be written as text."""
    try:
        return JsonConstraint(schema=json.dumps(schema, ensure_ascii=False, separators=(",", ":")))
    except RecursionError as error:
        raise InvalidParameter(f"{param}: the schema is nested too deeply", param) from error
