"""Which keywords of a schema hold where values are not written as JSON, but as a form's own rules write each of them.

Must not know any form.
"""

from engine.chat.tool_formats.form import FormCannotHold
from engine.request import JsonObject

OF_OBJECTS = {"properties", "required", "additionalProperties", "maxProperties", "$defs", "definitions", "$schema"}
OF_ARRAYS = {"items"}
OF_ARGUMENTS = OF_OBJECTS | {"unevaluatedProperties", "propertyNames", "patternProperties", "$id"}
"""Keywords under which arguments are valid that are all described and have the required ones among them."""
_OF_OTHER_MEMBERS = (
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "patternProperties",
    "maxProperties",
)
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


def takes_anything(schema: JsonObject, *, is_strict: bool) -> bool:
    """Whether an object may have any members, none of which its schema describes. FormCannotHold if it `is_strict` and limits them."""
    if schema.get("properties") or schema.get("required") or schema.get("additionalProperties") is False:
        return False
    for keyword in _OF_OTHER_MEMBERS if is_strict else ():
        limit = schema.get(keyword, True)
        if limit is not True and limit != {}:
            raise FormCannotHold(f"`{keyword}` can't be enforced in the form of this model's calls")
    return True
