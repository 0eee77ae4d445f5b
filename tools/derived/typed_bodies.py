"""From an OpenAPI document to TypedDict classes for its request bodies, responses and stream events.

Owns how a JSON Schema reads as a Python type. Must not know where the text goes, nor any operation.
"""

import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from tools.derived.source import generated_header

Schema = Mapping[str, Any]

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_TYPING_NAMES = ("Any", "Literal", "NotRequired", "TypeAlias", "TypedDict")
_REFERENCE = "#/components/schemas/"

_Members = tuple[str, ...]


def typed_bodies(title: str, document: Schema) -> str:
    """The source of a module with a type for every schema that a body or event of `document` is made of."""
    module = _Module(document["components"]["schemas"])
    for schema in _payloads(document):
        module.expression(schema, "Body")
    parts = [*module.classes.values(), *module.aliases.values()]
    body = "\n\n".join(parts)
    names = [name for name in _TYPING_NAMES if re.search(rf"\b{name}\b", body)]
    header = generated_header(f"Types of the bodies and events of the {title}, field by field.")
    imports = f"from __future__ import annotations\n\nfrom typing import {', '.join(names)}\n"
    return f"{header}\n{imports}\n\n{body}\n"


class _Module:
    """The classes and aliases of one module, in an order in which each alias follows what it names."""

    def __init__(self, components: Mapping[str, Schema]) -> None:
        self._components = components
        self._references: dict[str, _Members] = {}
        self.classes: dict[str, str] = {}
        self.aliases: dict[str, str] = {}

    def expression(self, schema: Schema, name: str) -> str:
        """The type that `schema` describes. `name` is what a class for it is called, should it need one."""
        return _expression(self._members(schema, name))

    def _members(self, schema: Schema, name: str) -> _Members:
        """The members of the union that `schema` describes, without repetitions, None last; mostly there is one."""
        found = dict.fromkeys(self._found_members(schema, name))
        return tuple(sorted(found, key=lambda member: member == "None"))

    def _found_members(self, schema: Schema, name: str) -> Iterator[str]:
        # Beside properties, a union only says which of them there must be.
        branches = () if "properties" in schema else schema.get("oneOf") or schema.get("anyOf")
        if "$ref" in schema:
            yield from self._reference(schema["$ref"].removeprefix(_REFERENCE))
        elif branches:
            for index, branch in enumerate(branches):
                yield from self._members(branch, name + _branch_suffix(branch, index))
        elif "const" in schema or "enum" in schema:
            yield from _literal([schema["const"]] if "const" in schema else schema["enum"])
        else:
            for kind in _types(schema):
                yield self._single(schema, kind, name)

    def _single(self, schema: Schema, kind: str, name: str) -> str:
        match kind:
            case "array":
                return f"list[{self.expression(schema.get('items', {}), name)}]"
            case "object" if "properties" in schema:
                return self._class(name, schema)
            case "object":
                values = schema.get("additionalProperties")
                return f"dict[str, {self.expression(values, name) if isinstance(values, Mapping) else 'Any'}]"
            case _:
                return _SCALARS.get(kind, "Any")

    def _reference(self, name: str) -> _Members:
        """How a component is referred to: a class by its name, scalars by themselves, everything else by an alias."""
        if name not in self._references:
            schema = self._components[name]
            self._references[name] = (name,)  # a schema that contains itself reaches this before it is complete
            members = self._members(schema, name)
            aliased = not ("$ref" in schema or name in members or set(members) <= set(_SCALARS.values()))
            self._references[name] = (name,) if aliased else members
            if aliased:
                self.aliases[name] = f"{name}: TypeAlias = {_expression(members)}"
        return self._references[name]

    def _class(self, name: str, schema: Schema) -> str:
        """Write the class `name`, whose place comes before those of the classes that it needs."""
        self.classes[name] = ""
        required = schema.get("required", ())
        fields = {
            key: self._field(value, name + _camel(key, value), required=key in required)
            for key, value in schema["properties"].items()
        }
        self.classes[name] = _class_source(name, _docstring(name, schema), fields)
        return name

    def _field(self, schema: Schema, name: str, *, required: bool) -> str:
        expression = self.expression(schema, name)
        return expression if required else f"NotRequired[{expression}]"


def _payloads(document: Schema) -> Iterator[Schema]:
    """The schema of every JSON body, event and line of a document's operations."""
    for item in document["paths"].values():
        for operation in (value for key, value in item.items() if key != "parameters"):
            contents = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (_resolve(document, node).get("content", {}) for node in contents):
                for media in content.values():
                    yield from _event_payload(document, media["schema"])


def _event_payload(document: Schema, schema: Schema) -> list[Schema]:
    """The payload inside a server-sent event's envelope; any other schema as it is."""
    resolved = _resolve(document, schema)
    data = resolved.get("properties", {}).get("data", {})
    payloads = [branch["contentSchema"] for branch in data.get("anyOf", ()) if "contentSchema" in branch]
    return payloads or [schema]


def _resolve(document: Schema, node: Schema) -> Schema:
    while "$ref" in node:
        target: Any = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def _types(schema: Schema) -> list[str]:
    declared = schema.get("type", "any")
    return [declared] if isinstance(declared, str) else list(declared)


def _expression(members: _Members) -> str:
    return "Any" if "Any" in members else " | ".join(members)


def _literal(values: list[Any]) -> Iterator[str]:
    words = [_quoted(value) if isinstance(value, str) else repr(value) for value in values if value is not None]
    yield f"Literal[{', '.join(words)}]"
    if None in values:
        yield "None"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _branch_suffix(branch: Schema, index: int) -> str:
    """What tells an inline branch's class from its siblings': its tag where it has one, else its number."""
    if "object" not in _types(branch):
        return ""
    tags = [value["enum"][0] for value in branch.get("properties", {}).values() if len(value.get("enum", ())) == 1]
    return _camel(tags[0], {}) if tags else f"Option{index + 1}"


def _camel(key: str, schema: Schema) -> str:
    """`top_logprobs` -> `TopLogprobs`; in the singular for the items of a list."""
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", key))
    return words.removesuffix("s") if "array" in _types(schema) else words


def _docstring(name: str, schema: Schema) -> str:
    text = schema.get("description") or schema.get("title")
    if not text:
        raise ValueError(f"the schema that becomes {name} has no description: add one to the document")
    first = re.split(r"(?<=[.!?])\s", " ".join(text.split()))[0].rstrip(".") + "."
    return "\n".join(textwrap.wrap(f'"""{first}"""', width=110, break_long_words=False))


def _class_source(name: str, docstring: str, fields: Mapping[str, str]) -> str:
    """A class; in the functional form where a field's name is not a legal identifier."""
    if any(not key.isidentifier() or keyword.iskeyword(key) for key in fields):
        entries = "".join(f"    {_quoted(key)}: {_quoted(value)},\n" for key, value in fields.items())
        return f"{name} = TypedDict({_quoted(name)}, {{\n{entries}}})"
    lines = [docstring, "", *(f"{key}: {value}" for key, value in fields.items())]
    return f"class {name}(TypedDict):\n" + textwrap.indent("\n".join(lines), "    ")
