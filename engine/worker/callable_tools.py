"""Owns which functions an answer may call, and what each call's arguments are held to. Must not know the form of a call."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from engine.chat.grammars.lark import Lark
from engine.chat.grammars.lark_in_json import quoted
from engine.chat.grammars.regex_in_json import Unquotable
from engine.chat.tool_formats.form import CallableTool, FormCannotHold
from engine.errors import EngineError
from engine.llama.constraint import ConstraintCompiler
from engine.llama.json_schemas import SchemaUnsupported, without_harm
from engine.llama.schema_patterns import rust_spelling
from engine.request import ChatPrompt, GrammarConstraint, JsonObject, Prompt, RegexConstraint, ToolUse

_ANY_OBJECT: JsonObject = {"type": "object"}


@contextmanager
def enforcing(what: str, param: str) -> Iterator[None]:
    """Inside, what can't be enforced is refused: `what` of the request's part `param`."""
    try:
        yield
    except (SchemaUnsupported, FormCannotHold, Unquotable) as error:
        raise EngineError("unsupported_schema", f"{what} can't be enforced: {error}", param=param) from error


def arguments_schemas(prompt: Prompt) -> dict[str, JsonObject]:
    """The schemas of the offered functions' arguments."""
    functions = [tool["function"] for tool in prompt.tools] if isinstance(prompt, ChatPrompt) else []
    return {function["name"]: function.get("parameters") or _ANY_OBJECT for function in functions}


def callable_tools(prompt: ChatPrompt, use: ToolUse, compiler: ConstraintCompiler) -> list[CallableTool]:
    """The tools that may be called. EngineError names the one whose arguments can't be held to what they must be: a forced call's are held
    to their whole schema, too."""
    offered = ((f"tools[{number}]", tool["function"]) for number, tool in enumerate(prompt.tools))
    return [
        _callable(function, where, use, compiler)
        for where, function in offered
        if use.names is None or function["name"] in use.names
    ]


def without_hopeless_schemas(tools: list[CallableTool], compiler: ConstraintCompiler) -> list[CallableTool]:
    """The tools, with any object for the arguments of those whose schema can't be enforced at all."""
    return [tool if tool.is_strict or _is_enforceable(tool, compiler) else _freed(tool) for tool in tools]


def without_schemas(tools: list[CallableTool]) -> list[CallableTool]:
    """The tools, with any object for the arguments wherever that may be."""
    return [tool if tool.is_strict else _freed(tool) for tool in tools]


def _callable(function: JsonObject, where: str, use: ToolUse, compiler: ConstraintCompiler) -> CallableTool:
    name = function["name"]
    if wanted := use.inputs.get(name):
        return _of_text(name, wanted, where, compiler)
    schema = _of_objects(function.get("parameters") or _ANY_OBJECT, where)
    is_strict = name in use.strict or use.is_required
    if is_strict:
        with enforcing("the schema of this tool's arguments", where):
            compiled = compiler.json(json.dumps(schema)).schema  # refuses what would not be enforced
        return CallableTool(name, json.loads(compiled.text) if compiled else schema, is_strict)
    return CallableTool(name, without_harm(schema) or _ANY_OBJECT, is_strict)


def _of_objects(schema: JsonObject, where: str) -> JsonObject:
    """A schema of arguments, which are always an object, whatever else it may allow. EngineError where it allows none."""
    types = schema.get("type", "object")
    if types != "object" and not (isinstance(types, list) and "object" in types):
        message = "the arguments of a call are an object, which the schema of this tool's arguments does not allow"
        raise EngineError("unsupported_schema", message, param=where)
    return {**schema, "type": "object"}


def _of_text(
    name: str, wanted: GrammarConstraint | RegexConstraint, where: str, compiler: ConstraintCompiler
) -> CallableTool:
    """Each is also compiled by itself: within a call it might pass for what it is not."""
    if isinstance(wanted, RegexConstraint):
        with enforcing("the regular expression of this tool's input", where):
            compiler.regex(wanted.regex)
            if rust_spelling(wanted.regex) != wanted.regex:
                raise SchemaUnsupported(
                    "a set within a set, or an operation between two, has no spelling in a call's JSON"
                )
            schema = _one_input({"type": "string", "pattern": f"^(?:{wanted.regex})$"})
            compiler.json(json.dumps(schema))
            return CallableTool(name, schema, is_strict=True)
    with enforcing("the grammar of this tool's input", where):
        within_json = quoted(wanted.grammar)
        compiler.lark(wanted.grammar)
        compiler.lark(within_json)
        return CallableTool(name, _one_input({"type": "string"}), is_strict=True, input_grammar=wanted.grammar)


def _one_input(schema: JsonObject) -> JsonObject:
    return {"type": "object", "properties": {"input": schema}, "required": ["input"], "additionalProperties": False}


def _is_enforceable(tool: CallableTool, compiler: ConstraintCompiler) -> bool:
    try:
        compiler.lark(f"start: {Lark({}).json(tool.arguments_schema, lenient=True)}")
    except SchemaUnsupported:
        return False
    return True


def _freed(tool: CallableTool) -> CallableTool:
    return CallableTool(tool.name, _ANY_OBJECT, is_strict=False)
