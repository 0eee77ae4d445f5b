"""Which keywords of a schema hold where values are not written as JSON, but as a form's own rules write each of them.

Must not know any form.
"""

from engine.chat.tool_formats.form import FormCannotHold
from engine.request import JsonObject

OF_OBJECTS = {"properties", "required", "additionalProperties", "maxProperties", "$defs", "definitions", "$schema"}
OF_ARRAYS = {"items"}
_ANNOTATIONS = {
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "type",
}


def check_held(schema: JsonObject, held: set[str]) -> None:
    """Raises FormCannotHold where a keyword of `schema` says something that is not among `held`."""
    for keyword in schema.keys() - _ANNOTATIONS - held:
        raise FormCannotHold(f"`{keyword}` can't be enforced in the form of this model's calls")
