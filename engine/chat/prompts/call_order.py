"""The results of calls in the order of the calls: most templates show no ids, so that a model tells by the order which is whose.

Must not know a template.
"""

from collections.abc import Sequence
from itertools import groupby

from engine.request import JsonObject


def in_call_order(messages: Sequence[JsonObject]) -> list[JsonObject]:
    """The same messages. Results that stand together follow the calls that they name; one that names none of these stays behind them."""
    ordered: list[JsonObject] = []
    for is_result, together in groupby(messages, lambda message: message["role"] == "tool"):
        if is_result and ordered:
            places = {call.get("id"): place for place, call in enumerate(ordered[-1].get("tool_calls") or ())}
            ordered += sorted(together, key=lambda result: places.get(result.get("tool_call_id"), len(places)))
        else:
            ordered += together
    return ordered
