"""Conversations of every kind, each with the texts that a prompt must show of it."""

from typing import Any, NamedTuple

Message = dict[str, Any]


class Conversation(NamedTuple):
    """`texts` must be in the prompt, in any order."""

    messages: list[Message]
    texts: tuple[str, ...]
    tools: tuple[Message, ...] = ()


def _tool(name: str, **properties: Any) -> Message:
    parameters = {"type": "object", "properties": properties, "required": list(properties)[:1]}
    return {
        "type": "function",
        "function": {"name": name, "description": f"What {name} does", "parameters": parameters},
    }


TOOLS = (
    _tool("weather", city={"type": "string", "description": "Which city"}, days={"type": "integer"}),
    _tool(
        "remind", text={"type": "string"}, at={"type": "array", "items": {"type": "string", "enum": ["noon", "night"]}}
    ),
)
NULLABLE = (
    _tool("find", query={"type": ["string", "null"]}, limit={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
)
BARE = ({"type": "function", "function": {"name": "now"}},)


def said(role: str, content: Any, **more: Any) -> Message:
    """A message."""
    return {"role": role, "content": content, **more}


def call(arguments: Any, call_id: str = "call_a1b2c3d4e5f6", name: str = "weather") -> Message:
    """A call of a tool."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(content: Any, call_id: str = "call_a1b2c3d4e5f6") -> Message:
    """A tool's answer."""
    return {"role": "tool", "tool_call_id": call_id, "name": "weather", "content": content}


def _calling(*calls: Message, content: Any = "", **more: Any) -> Message:
    return said("assistant", content, tool_calls=list(calls), **more)


SYSTEM, ASK, ANSWER, NEXT = (
    said("system", "qsystem rules"),
    said("user", "qfirst question"),
    said("assistant", "qfirst answer"),
    said("user", "qsecond question"),
)
_BOTH = ("qsystem rules", "qfirst question", "qfirst answer", "qsecond question")

CONVERSATIONS = {
    "a question": Conversation([ASK], ("qfirst question",)),
    "system": Conversation([SYSTEM, ASK], _BOTH[:2]),
    "developer": Conversation([said("developer", "qsystem rules"), ASK], _BOTH[:2]),
    "turns": Conversation([SYSTEM, ASK, ANSWER, NEXT], _BOTH),
    "tools": Conversation([ASK], ("qfirst question", "weather", "remind"), TOOLS),
    "nullable tools": Conversation([ASK], ("qfirst question", "find"), NULLABLE),
    "a bare tool": Conversation([ASK], ("qfirst question", "now"), BARE),
    "a call": Conversation([SYSTEM, ASK, _calling(call('{"city": "qrome"}'))], ("weather", "qrome"), TOOLS),
    "a call answered": Conversation(
        [SYSTEM, ASK, _calling(call('{"city": "qrome"}')), result("qsunny"), ANSWER, NEXT], (*_BOTH, "qrome", "qsunny"), TOOLS
    ),
    "a call with an object": Conversation(
        [ASK, _calling(call({"city": "qrome", "days": 3})), result("qsunny")], ("qrome", "qsunny"), TOOLS
    ),
    "a call without arguments": Conversation([ASK, _calling(call("")), result("qsunny"), NEXT], ("weather", "qsunny"), TOOLS),
    "a call with broken arguments": Conversation(
        [ASK, _calling(call('{"city": "qrome')), result("qsunny"), NEXT], ("qrome", "qsunny"), TOOLS
    ),
    "text beside a call": Conversation(
        [ASK, _calling(call('{"city": "qrome"}'), content="qbeside"), result("qsunny")], ("qbeside", "qrome", "qsunny"), TOOLS
    ),
    "text beside a call of earlier": Conversation(
        [ASK, _calling(call('{"city": "qrome"}'), content="qbeside"), result("qsunny"), ANSWER, NEXT],
        ("qbeside", "qrome", "qsunny", "qfirst answer"),
        TOOLS,
    ),
    "two calls at once": Conversation(
        [
            ASK,
            _calling(call('{"city": "qrome"}', "call_a"), call('{"city": "qoslo"}', "call_b")),
            result("qsunny", "call_a"),
            result("qrainy", "call_b"),
            ANSWER,
            NEXT,
        ],
        ("qrome", "qoslo", "qsunny", "qrainy", "qsecond question"),
        TOOLS,
    ),
    "call after call": Conversation(
        [
            ASK,
            _calling(call('{"city": "qrome"}', "call_a")),
            result("qsunny", "call_a"),
            _calling(call('{"city": "qoslo"}', "call_b")),
            result("qrainy", "call_b"),
        ],
        ("qrome", "qoslo", "qsunny", "qrainy"),
        TOOLS,
    ),
    "a history of calls without tools": Conversation(
        [ASK, _calling(call('{"city": "qrome"}')), result("qsunny"), ANSWER, NEXT], ("qrome", "qsunny", "qsecond question")
    ),
    "a result in parts": Conversation(
        [ASK, _calling(call('{"city": "qrome"}')), result([{"type": "text", "text": "qsunny"}])], ("qsunny",), TOOLS
    ),
    "a result that is JSON": Conversation([ASK, _calling(call("{}")), result('{"sky": "qclear"}')], ("qclear",), TOOLS),
    "reasoning": Conversation([ASK, said("assistant", "qfirst answer", reasoning_content="qhm"), NEXT], _BOTH[1:]),
    "reasoning before a call": Conversation(
        [ASK, _calling(call('{"city": "qrome"}'), reasoning_content="qhm"), result("qsunny")], ("qrome", "qsunny"), TOOLS
    ),
    "reasoning and text before a call": Conversation(
        [ASK, _calling(call('{"city": "qrome"}'), content="qbeside", reasoning_content="qhm"), result("qsunny")],
        ("qbeside", "qrome", "qsunny"),
        TOOLS,
    ),
    "parts": Conversation(
        [
            said("system", [{"type": "text", "text": "qsystem rules"}]),
            said("user", [{"type": "text", "text": "qfirst"}, {"type": "text", "text": "question"}]),
            said("assistant", [{"type": "text", "text": "qfirst answer"}]),
            NEXT,
        ],
        ("qsystem rules", "qfirst", "question", "qfirst answer", "qsecond question"),
    ),
    "system alone": Conversation([SYSTEM], ("qsystem rules",)),
    "two system messages": Conversation([SYSTEM, said("system", "qmore rules"), ASK], (*_BOTH[:2], "qmore rules")),
    "system in the middle": Conversation([SYSTEM, ASK, ANSWER, said("system", "qmore rules"), NEXT], (*_BOTH, "qmore rules")),
    "system at the end": Conversation([ASK, ANSWER, said("system", "qmore rules")], ("qfirst answer", "qmore rules")),
    "question after question": Conversation([ASK, NEXT], ("qfirst question", "qsecond question")),
    "answer after answer": Conversation([ASK, ANSWER, said("assistant", "qmore"), NEXT], (*_BOTH[1:], "qmore")),
    "names": Conversation([said("user", "qfirst question", name="Ada"), ANSWER, said("user", "qsecond question", name="Bob")], _BOTH[1:]),
    "unicode": Conversation(
        [said("system", "qÜber 日本"), said("user", "q😀 \u202e \u2028 e\u0301 ﷽"), ANSWER, said("user", "q\"'\\ <b>&amp; {{ x }}")],
        ("qÜber 日本", "q😀 \u202e \u2028 e\u0301 ﷽", "q\"'\\ <b>&amp; {{ x }}"),
    ),
}  # fmt: skip
