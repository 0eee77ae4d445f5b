"""Owns how much context a request asks for, how much its model may be given, and which of two is more.

Must not know workers, nor when one is loaded again to have more.
"""

from typing import NamedTuple, Self

from engine.config import LoadParams
from engine.errors import EngineError
from engine.host.metadata import ModelMetadata
from engine.protocol import LoadedModel
from engine.request import EmbeddingRequest, GenerationRequest, Request


class Room(NamedTuple):
    """Tokens of context: of one prompt with its answer, and of one embedded text. As a wish, 0 is whatever there is."""

    ctx_tokens: int = 0
    input_tokens: int = 0

    def is_within(self, other: Self) -> bool:
        """Whether `other` has as much of both."""
        return self.ctx_tokens <= other.ctx_tokens and self.input_tokens <= other.input_tokens

    def reaches(self, most: Self) -> bool:
        """Whether it wants as much of either as `most` has, and not nothing."""
        return any(0 < wanted >= had for wanted, had in zip(self, most, strict=True))

    def joined(self, other: Self) -> "Room":
        """As much as either has of each."""
        return Room(max(self.ctx_tokens, other.ctx_tokens), max(self.input_tokens, other.input_tokens))


NO_WISH = Room()


def room_of(model: LoadedModel) -> Room:
    """What a loaded model has."""
    return Room(model.ctx_size_tokens, model.input_limit_tokens)


def wanted_room(request: Request) -> Room:
    """What the request asks for."""
    if isinstance(request, GenerationRequest):
        return Room(ctx_tokens=request.context_limit_tokens or 0)
    if isinstance(request, EmbeddingRequest):
        return Room(input_tokens=request.context_limit_tokens or 0)
    return NO_WISH


def check_wish(wish: Room, metadata: ModelMetadata, params: LoadParams) -> None:
    """Raises EngineError invalid_request where a model is never given so much: it is not cut down quietly."""
    if params.ctx_size_tokens:
        _refuse_above(params.ctx_size_tokens, wish, "the server's ctx_size setting fixes it for this model")
    elif metadata.context_length is not None:
        trained = metadata.context_length
        _refuse_above(max(trained, _stretched(metadata, params)), wish, f"this model was trained for {trained}")


def refuse(wish: Room, room: Room, reason: str) -> EngineError:
    """The refusal of a wish for more than `room`."""
    wanted, limit = (wish.input_tokens, room.input_tokens) if wish.input_tokens else (wish.ctx_tokens, room.ctx_tokens)
    message = f"a context of {wanted} tokens was asked for; expected at most {limit}: {reason}"
    return EngineError("invalid_request", message, param="num_ctx")


def _refuse_above(limit_tokens: int, wish: Room, reason: str) -> None:
    limit = Room(limit_tokens, limit_tokens)
    if not wish.is_within(limit):
        raise refuse(wish, limit, reason)


def _stretched(metadata: ModelMetadata, params: LoadParams) -> int:
    """How far positions reach where the settings scale them: YaRN and linear scaling multiply what the model was first trained for."""
    scale = params.rope.freq_scale
    if scale is None or params.rope.scaling == "none":
        return 0
    original = metadata.values.get(f"{metadata.architecture}.rope.scaling.original_context_length")
    first = params.rope.yarn_orig_ctx or original or metadata.context_length
    return int(first / scale) if isinstance(first, int) else 0
