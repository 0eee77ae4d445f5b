"""`response_format`: free text, any JSON object, or JSON under a schema. Must not know how the engine enforces it."""

from engine import JsonConstraint
from handlers.wire.json_constraint import object_constraint, schema_constraint
from handlers.wire.types.openai import ResponseFormatJsonObject, ResponseFormatJsonSchema, ResponseFormatText

ResponseFormat = ResponseFormatText | ResponseFormatJsonObject | ResponseFormatJsonSchema


def parse_response_format(form: ResponseFormat | None) -> JsonConstraint | None:
    """The constraint that a response format stands for; None for free text.

    `strict` makes no difference: a schema is always kept. A schema may be left out (it is not among the published
    required fields); the answer is then any JSON object, as with `json_object`.
    """
    if form is None or form["type"] == "text":
        return None
    schema = form["json_schema"].get("schema") if form["type"] == "json_schema" else None
    if schema is None:
        return object_constraint()
    return schema_constraint(schema, "response_format.json_schema.schema")
