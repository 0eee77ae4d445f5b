"""The frames between the host (server process) and a worker, and their codec.

A frame is a 4-byte little-endian length and that many bytes of MessagePack. The host speaks first (`Load`), the worker answers `Ready`
or `LoadFailed`; then `Submit`, `Cancel` and `Ping` go down, `Events` and `Pong` come up, until the host closes the socket, which ends
the worker.
Request ids are the host's, unique for the life of the connection. A cancelled request gets no further events.
"""

import struct

import msgspec

from engine.activity import WorkerActivity
from engine.config import LoadParams
from engine.events import Event
from engine.request import Request

MAX_FRAME_BYTES = 1 << 30
_LENGTH = struct.Struct("<I")


class _Frame(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every frame."""


class Load(_Frame, frozen=True, kw_only=True, tag="load"):
    """The first frame: which file, and how. `family`: the name of the model's, among engine.families. `cell_bytes`: what a token takes
    in its KV cache, as far as its file says; `draft_cell_bytes`: in that of the model that guesses."""

    path: str
    params: LoadParams
    family: str
    cell_bytes: int = 0
    draft_cell_bytes: int = 0
    log_level: str = "info"


class Submit(_Frame, frozen=True, kw_only=True, tag="submit"):
    """Start a request."""

    id: int
    request: Request


class Cancel(_Frame, frozen=True, kw_only=True, tag="cancel"):
    """Forget a request; its slot is free within one step. An unknown id is ignored: it may just have finished."""

    id: int


class Ping(_Frame, frozen=True, kw_only=True, tag="ping"):
    """Asks for a `Pong`, which comes at once, also while a step is computed. `detailed`: with what the worker does."""

    detailed: bool = False


class LoadedModel(_Frame, frozen=True, kw_only=True):
    """What only the worker knows of a model that it has loaded.

    `ctx_size_tokens`: the most of one prompt and its answer; `input_limit_tokens`: of one embedded text.
    `capabilities` are among: completion, embedding, rerank, tools, insert, thinking, vision, audio. `size_bytes` is the weights' size,
    `gpu_bytes` how much of it lies on GPUs.
    """

    ctx_size_tokens: int
    input_limit_tokens: int
    embedding_length: int
    vocabulary_size: int
    capabilities: tuple[str, ...]
    chat_template: str | None
    size_bytes: int
    gpu_bytes: int
    gpu_layers: int


class Ready(_Frame, frozen=True, kw_only=True, tag="ready"):
    """The model is loaded."""

    model: LoadedModel


class LoadFailed(_Frame, frozen=True, kw_only=True, tag="load_failed"):
    """It could not be loaded; the worker exits."""

    message: str


class Events(_Frame, frozen=True, kw_only=True, tag="events"):
    """What one step produced: pairs of request id and event, in order."""

    events: tuple[tuple[int, Event], ...]


class Pong(_Frame, frozen=True, kw_only=True, tag="pong"):
    """The worker lives. `step_age_seconds`: how long the step under way has taken, or the encoding beside it; 0: there is none."""

    step_age_seconds: float
    activity: WorkerActivity | None = None


ToWorker = Load | Submit | Cancel | Ping
ToHost = Ready | LoadFailed | Events | Pong

_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_to_host: msgspec.msgpack.Decoder[ToHost] = msgspec.msgpack.Decoder(ToHost)


class FrameTooLarge(ValueError):
    """A frame announces more bytes than any legal one has."""


def encode(frame: ToWorker | ToHost) -> bytes:
    """The bytes of one frame, length included."""
    body = _encoder.encode(frame)
    return _LENGTH.pack(len(body)) + body


def size_bytes(request: Request) -> int:
    """How much of a frame the request takes."""
    return len(_encoder.encode(request))


class FrameReader:
    """Cuts a byte stream into frame bodies, however the bytes arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frame bodies that `data` completes."""
        self._buffer += data
        bodies: list[bytes] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if length > MAX_FRAME_BYTES:
                raise FrameTooLarge(f"frame of {length} bytes; at most {MAX_FRAME_BYTES} are allowed")
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            bodies.append(bytes(self._buffer[start + _LENGTH.size : end]))
            start = end
        del self._buffer[:start]
        return bodies


def decode_to_worker(body: bytes) -> ToWorker:
    """The frame in `body`, as the worker reads it."""
    return _to_worker.decode(body)


class _Numbered(msgspec.Struct):
    """What every frame about a request has."""

    id: int


def submitted_id(body: bytes) -> int:
    """The id in a `Submit` whose request can't be decoded. Raises ValueError where there is none either."""
    return msgspec.msgpack.decode(body, type=_Numbered).id


def decode_to_host(body: bytes) -> ToHost:
    """The frame in `body`, as the host reads it."""
    return _to_host.decode(body)
