"""The grammar of a string that stands as bare text: which texts a schema allows.

Owns the keywords for strings, and the way from a pattern of JSON Schema, which is searched for, to a regular expression for a whole text.
Must not know what stands around the text.
"""

import json
import re
from typing import Any

from engine.chat.grammars.lark import Lark
from engine.chat.tool_formats.form import FormCannotHold
from engine.chat.tool_formats.typed_value import resolved
from engine.request import JsonObject

_ANNOTATIONS = {
    *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "type"),
    *("nullable", "contentEncoding", "contentMediaType"),
}
_FOR_TEXT = {"enum", "const", "pattern", "minLength", "maxLength"}
_ANYTHING = r"(.|\n)*"
_STEP = re.compile(r"\\.|\(\?.?|.", re.DOTALL)
_CLASSES = {r"\d": "0-9", r"\w": "A-Za-z0-9_"}
"""As ECMAScript's regular expressions mean them; here they would take in other scripts, too."""


def text_terminal(schema: Any, root: JsonObject, *, is_strict: bool) -> str | None:
    """The texts that a schema allows, as the body of a Lark terminal; None for all of them. FormCannotHold names a keyword that could not
    be kept, if `is_strict`."""
    for _ in range(16):
        if isinstance(schema, dict) and "$ref" in schema:
            schema = {**_object(resolved(schema["$ref"], root)), **{k: v for k, v in schema.items() if k != "$ref"}}
    schema = _object(schema)
    if is_strict:
        _check(schema)
    values = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(values, list):
        return " | ".join(Lark.literal(value if isinstance(value, str) else json.dumps(value)) for value in values)
    parts = list(filter(None, (_of_length(schema), _of_pattern(schema, is_strict=is_strict))))
    return " & ".join(map(Lark.regex, parts)) or None


def _object(schema: Any) -> JsonObject:
    return schema if isinstance(schema, dict) else {}


def _check(schema: JsonObject) -> None:
    for keyword, value in schema.items():
        if keyword in ("anyOf", "oneOf") and all(_ANNOTATIONS.issuperset(_object(part)) for part in value):
            continue
        if keyword not in _ANNOTATIONS | _FOR_TEXT:
            raise FormCannotHold(f"`{keyword}` can't be enforced for a string that this model writes as bare text")


def _of_length(schema: JsonObject) -> str | None:
    least, most = schema.get("minLength"), schema.get("maxLength")
    if least is None and most is None:
        return None
    return rf"(.|\n){{{int(least or 0)},{'' if most is None else int(most)}}}"


def _of_pattern(schema: JsonObject, *, is_strict: bool) -> str | None:
    pattern = schema.get("pattern")
    if not isinstance(pattern, str):
        return None
    whole = _whole(pattern)
    if whole is None and is_strict:
        raise FormCannotHold(
            f"the pattern {pattern} can't be enforced for a string that this model writes as bare text"
        )
    return whole


def _whole(pattern: str) -> str | None:
    """A regular expression for the whole of each text in which the pattern is found; None if there is no plain way to write it."""
    steps = _STEP.findall(pattern)
    begins, ends = steps[:1] == ["^"], steps[-1:] == ["$"]
    inner = steps[int(begins) : len(steps) - int(ends)]
    written, in_class, depth, has_branches = [], False, 0, False
    for step in inner:
        if not in_class and (step in ("^", "$", r"\b", r"\B") or (step.startswith("(?") and step != "(?:"[:3])):
            return None
        if step[0] == "\\" and step[1:].isdigit():
            return None
        depth += (step[0] == "(") - (step == ")") if not in_class else 0
        has_branches |= step == "|" and not in_class and depth == 0
        written.append(
            _CLASSES[step] if in_class and step in _CLASSES else f"[{_CLASSES[step]}]" if step in _CLASSES else step
        )
        in_class = (in_class and step != "]") or step == "["
    if has_branches and (begins or ends):
        return None
    return f"{'' if begins else _ANYTHING}({''.join(written)}){'' if ends else _ANYTHING}"
