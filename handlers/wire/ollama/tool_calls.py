"""Tool calls in an answer: Ollama sends each one whole, its arguments as an object.

Owns joining a call's deltas. A call whose arguments are no JSON object (generation may end within them) is not a call that a
client could run: what the model wrote is then shown as text, so that nothing is lost.
"""

import orjson

from engine import JsonObject, ToolCall, ToolCallDelta


def render_tool_call(index: int, call: ToolCall) -> JsonObject | None:
    """A whole call, or None if its arguments are no JSON object."""
    try:
        arguments = orjson.loads(call.arguments)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(arguments, dict):
        return None
    return {"id": call.id, "function": {"index": index, "name": call.name, "arguments": arguments}}


class OpenCall:
    """The call whose deltas are coming in, if any."""

    def __init__(self) -> None:
        self._index = 0
        self._deltas: list[ToolCallDelta] = []

    def continues(self, event: object) -> bool:
        """Whether `event` belongs to this call, or may begin it."""
        return isinstance(event, ToolCallDelta) and (not self._deltas or event.call_index == self._index)

    def add(self, delta: ToolCallDelta) -> None:
        """Append a delta of this call."""
        self._index = delta.call_index
        self._deltas.append(delta)

    def take(self) -> tuple[int, ToolCall] | None:
        """The call's number and the call, which is now complete; None if there was none. The next delta begins another."""
        deltas, self._deltas = self._deltas, []
        if not deltas:
            return None
        call_id = next((delta.id for delta in deltas if delta.id is not None), "")
        name = next((delta.name for delta in deltas if delta.name is not None), "")
        return self._index, ToolCall(call_id, name, "".join(delta.arguments for delta in deltas))
