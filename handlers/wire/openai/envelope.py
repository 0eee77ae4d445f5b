"""What every generation answer and each of its chunks carries besides its choices: id, time, model and token counts.

Owns those fields. Must not know chat from plain completions.
"""

import hashlib
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from engine import JsonObject, ModelEntry, Usage

_VERSION = version("trueline")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields that stay the same from an answer's first chunk to its last. `created` is in Unix seconds."""

    id: str
    created: int
    model: str
    system_fingerprint: str

    def around(self, kind: str, choices: Sequence[JsonObject]) -> JsonObject:
        """A body of `kind` (the published `object`) with these choices."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.system_fingerprint,
            "choices": list(choices),
        }


def new_envelope(id_prefix: str, model: str, entry: ModelEntry) -> Envelope:
    """The envelope of an answer that begins now, under an id that no other answer has."""
    return Envelope(f"{id_prefix}{uuid.uuid4().hex}", int(time.time()), model, fingerprint(entry))


def fingerprint(entry: ModelEntry) -> str:
    """Same model file and same release of this server: same fingerprint, and with a seed the same answers."""
    identity = f"{_VERSION} {entry.name} {entry.size_bytes} {entry.modified_at}"
    return f"fp_{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def render_usage(usages: Iterable[Usage]) -> JsonObject:
    """The exact token counts of one answer, over all the generations that it took."""
    each = tuple(usages)
    prompt = sum(usage.prompt_tokens for usage in each)
    completion = sum(usage.completion_tokens for usage in each)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": sum(usage.cached_tokens for usage in each),
            "audio_tokens": sum(usage.audio_tokens for usage in each),
            **_images(sum(usage.image_tokens for usage in each)),
        },
        "completion_tokens_details": {
            "reasoning_tokens": sum(usage.reasoning_tokens for usage in each),
            "audio_tokens": 0,
            "accepted_prediction_tokens": sum(usage.accepted_prediction_tokens for usage in each),
            "rejected_prediction_tokens": sum(usage.rejected_prediction_tokens for usage in each),
        },
    }


def _images(tokens: int) -> JsonObject:
    """Said only where there are some: older clients do not know it."""
    return {"image_tokens": tokens} if tokens else {}
