"""The catalogue as OpenAI lists it. Must not know what a model can do."""

from collections.abc import Iterable

from engine import JsonObject, ModelEntry


def render(entry: ModelEntry) -> JsonObject:
    """One model. `created` is when its file was last changed, in Unix seconds."""
    return {"id": entry.name, "object": "model", "created": int(entry.modified_at), "owned_by": "trueline"}


def render_list(entries: Iterable[ModelEntry]) -> JsonObject:
    """All models, in the order given."""
    return {"object": "list", "data": [render(entry) for entry in entries]}
