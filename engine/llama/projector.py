"""Owns a loaded projector: what makes vectors of pictures and sound that a model reads among its tokens' embeddings (libmtmd).

Must not know contexts, sequences or requests, nor how a file becomes pixels. That of sound becomes samples here, because llama.cpp's own
reader knows at which rate the projector wants them.
"""

import ctypes
import functools
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from llama_cpp import mtmd_cpp
from numpy.typing import NDArray

from engine.llama import library
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.llama.resource import Resource

Vectors = NDArray[np.float32]
"""(rows, width of the model's input)"""
Positions = NDArray[np.int32]
"""(axes, rows)"""

_AS_THE_FILE_SAYS = -1
_SAMPLE_BYTES = 4
_SHORTEST_SOUND_BYTES = 12
_NO_SOUND = "no sound can be decoded from it"
_AXES = 4
"""Time, row, column and a fourth that few models use: the positions of one vector where a model rotates by several (M-RoPE)."""


class Unreadable(LlamaError):
    """It is no picture or sound that the projector can take."""


class TokenPiece(msgspec.Struct, frozen=True):
    """Tokens that stand before, between or behind vectors: `<start_of_image>` and the like."""

    tokens: tuple[int, ...]


class Span(msgspec.Struct, frozen=True, eq=False):
    """Vectors that the model reads together. What follows them stands `length` positions behind the first.

    `positions`: where each vector stands if the first stands at 0; `moves`: 1 where that moves with the first's position, else 0; one axis
    where the model counts positions in one dimension. `sees_all`: each vector sees all others of the span, not only those before it,
    so that they must be computed in one pass. `is_sound`: else it is of a picture.
    """

    length: int
    positions: Positions
    moves: Positions
    sees_all: bool = False
    is_sound: bool = False

    @property
    def rows(self) -> int:
        """The number of vectors: what they take of a batch and of the KV cache."""
        return int(self.positions.shape[1])

    def positions_from(self, first: int, start: int, stop: int) -> Positions:
        """The positions of the vectors from `start` to `stop` if the first of all stands at `first`."""
        return np.ascontiguousarray(self.positions[:, start:stop] + first * self.moves[:, start:stop])


Piece = TokenPiece | Span


class Split(Resource):
    """A picture or sound cut into what the model reads one after the other, not yet encoded."""

    def __init__(self, handle: Any, projector: "Projector") -> None:
        super().__init__(handle, mtmd_cpp.mtmd_input_chunks_free)
        self._projector = projector

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Everything the model will read, in order."""
        return tuple(self._projector.piece(chunk) for chunk in self.chunks())

    def chunks(self) -> Iterator[Any]:
        """The C objects of the pieces."""
        count = mtmd_cpp.mtmd_input_chunks_size(self._handle)
        return (mtmd_cpp.mtmd_input_chunks_get(self._handle, index) for index in range(count))


class Projector(Resource):
    """The encoders of one `mmproj` file, for one model. `sees`: it takes pictures; `hears`: it takes sound."""

    def __init__(
        self,
        path: Path,
        model: Model,
        *,
        threads: int,
        on_gpu: bool,
        image_min_tokens: int | None = None,
        image_max_tokens: int | None = None,
    ) -> None:
        """Load `path`. LlamaError says why it can't be, or that it is another model's."""
        _take_over_log()
        library.forget_errors()
        params: Any = mtmd_cpp.mtmd_context_params_default()
        params.use_gpu = on_gpu
        params.n_threads = threads
        params.print_timings = False
        params.warmup = False
        params.image_min_tokens = _AS_THE_FILE_SAYS if image_min_tokens is None else image_min_tokens
        params.image_max_tokens = _AS_THE_FILE_SAYS if image_max_tokens is None else image_max_tokens
        handle = mtmd_cpp.mtmd_init_from_file(str(path).encode(), model.handle, params)
        if not handle:
            reason = library.last_errors() or "it gave no reason"
            raise LlamaError(f"llama.cpp can't load the projector {path.name}: {reason}")
        super().__init__(handle, mtmd_cpp.mtmd_free)
        self._width = model.input_width
        self._marker: bytes = mtmd_cpp.mtmd_get_marker(handle)
        self._has_axes = bool(mtmd_cpp.mtmd_decode_use_mrope(handle))
        self.size_bytes = path.stat().st_size
        self.sees = bool(mtmd_cpp.mtmd_support_vision(handle))
        self.hears = bool(mtmd_cpp.mtmd_support_audio(handle))

    def split_picture(self, pixels: NDArray[np.uint8]) -> Split:
        """Cut a picture (rows, columns, red-green-blue) into what the model will read. Unreadable where it takes no such picture."""
        height, width, _ = pixels.shape
        pixels = np.ascontiguousarray(pixels)
        pointer = pixels.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        with _bitmap(mtmd_cpp.mtmd_bitmap_init(width, height, pointer)) as bitmap:
            return self._split(bitmap)

    def split_sound(self, content: bytes) -> Split:
        """Cut the sound in a WAV or MP3 file into what the model will hear. Unreadable where it is none, or has no samples."""
        if not _is_sound(content):
            raise Unreadable(_NO_SOUND)
        raw = (ctypes.c_uint8 * len(content)).from_buffer_copy(content)
        handle = mtmd_cpp.mtmd_helper_bitmap_init_from_buf(self._handle, raw, len(content), False)
        with _bitmap(handle, complaint=_NO_SOUND) as bitmap:
            # libmtmd takes a single one for a broken file, and ends the process.
            if mtmd_cpp.mtmd_bitmap_get_n_bytes(bitmap) <= _SAMPLE_BYTES:
                raise Unreadable("it has no samples")
            return self._split(bitmap)

    def encode(self, split: Split, number: int) -> Vectors:
        """The vectors of the span of this number in a split. Takes long; one at a time, and beside any context's work."""
        spans = (chunk for chunk in split.chunks() if not _is_text(chunk))
        return self._encode(next(itertools.islice(spans, number, None)))

    def piece(self, chunk: Any) -> Piece:
        """What one of a split's C objects is."""
        if _is_text(chunk):
            count = ctypes.c_size_t()
            tokens: Any = mtmd_cpp.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
            return TokenPiece(tuple(tokens[: count.value]))
        positions, moves = self._positions(chunk)
        return Span(
            length=int(mtmd_cpp.mtmd_input_chunk_get_n_pos(chunk)),
            positions=positions,
            moves=moves,
            sees_all=bool(mtmd_cpp.mtmd_decode_use_non_causal(self._handle, chunk)),
            is_sound=mtmd_cpp.mtmd_input_chunk_get_type(chunk) == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_AUDIO,
        )

    def _split(self, bitmap: Any) -> Split:
        library.forget_errors()
        split = Split(mtmd_cpp.mtmd_input_chunks_init(), self)
        text = mtmd_cpp.mtmd_input_text(self._marker, len(self._marker), False, True)
        bitmaps = (mtmd_cpp.mtmd_bitmap_p_ctypes * 1)(bitmap)
        if mtmd_cpp.mtmd_tokenize(self._handle, split.handle, ctypes.byref(text), bitmaps, 1):
            split.close()
            raise Unreadable(library.last_errors() or "the projector can't take it")
        return split

    def _encode(self, chunk: Any) -> Vectors:
        library.forget_errors()
        if mtmd_cpp.mtmd_encode_chunk(self._handle, chunk):
            raise LlamaError(f"llama.cpp can't encode it: {library.last_errors() or 'it gave no reason'}")
        shape = (int(mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk)), self._width)
        pointer: Any = mtmd_cpp.mtmd_get_output_embd(self._handle)
        vectors = np.ctypeslib.as_array(pointer, shape).copy()
        # In the KV cache they would spoil what other sequences make of theirs: nothing times no number is no number.
        if not np.isfinite(vectors).all():
            raise Unreadable("the model's encoder makes no numbers of it")
        return vectors

    def _positions(self, chunk: Any) -> tuple[Positions, Positions]:
        """As Span has them. What a model puts where is found by asking for two places of the first vector."""
        rows = int(mtmd_cpp.mtmd_input_chunk_get_n_tokens(chunk))
        image = mtmd_cpp.mtmd_input_chunk_get_tokens_image(chunk) if self._has_axes else None
        if not image:
            axes = _AXES if self._has_axes else 1
            return np.tile(np.arange(rows, dtype=np.int32), (axes, 1)), np.ones((axes, rows), dtype=np.int32)
        at_0, at_1 = (_picture_positions(image, first, rows) for first in (0, 1))
        return at_0, at_1 - at_0


def _is_sound(content: bytes) -> bool:
    """Whether llama.cpp's reader takes it for WAV or MP3: all else it tries as a picture, and then hands to any ffmpeg that it finds."""
    is_wave = content[:4] == b"RIFF" and content[8:12] == b"WAVE"
    is_mp3 = content[:3] == b"ID3" or (content[:1] == b"\xff" and content[1:2] >= b"\xe0")
    return len(content) >= _SHORTEST_SOUND_BYTES and (is_wave or is_mp3)


def _is_text(chunk: Any) -> bool:
    return bool(mtmd_cpp.mtmd_input_chunk_get_type(chunk) == mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_TEXT)


def _picture_positions(image: Any, first: int, rows: int) -> Positions:
    """Time, row, column and the fourth of each vector: the order in which llama.cpp's batches have them."""
    found: Any = (mtmd_cpp.mtmd_decoder_pos * rows)()
    mtmd_cpp.mtmd_helper_image_get_decoder_pos(image, first, found)
    return np.array([[at.t, at.y, at.x, at.z] for at in found], dtype=np.int32).T


@contextmanager
def _bitmap(handle: Any, complaint: str = "llama.cpp can't read it") -> Iterator[Any]:
    if not handle:
        raise Unreadable(complaint)
    try:
        yield handle
    finally:
        mtmd_cpp.mtmd_bitmap_free(handle)


@functools.cache
def _take_over_log() -> None:
    library.start()
    mtmd_cpp.mtmd_helper_log_set(library.log_callback, ctypes.c_void_p(0))
