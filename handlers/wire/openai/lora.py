"""The LoRA adapters that a request asks for. Must not know which are loaded."""

from collections.abc import Sequence

from engine import LoraScale
from handlers.wire.types import openai as types


def parse_lora(wanted: Sequence[types.LoraScale] | None) -> tuple[LoraScale, ...] | None:
    """The adapters and their scales; None where the request says nothing."""
    if wanted is None:
        return None
    return tuple(LoraScale(adapter=each["id"], scale=each.get("scale", 1.0)) for each in wanted)
