"""Owns one llama_context: it computes batches and edits the KV cache as it is told. It decides nothing."""

import ctypes
from typing import Any

import llama_cpp
import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.config import Attention, CacheType, FlashAttention, Rope, RopeScaling
from engine.llama import library
from engine.llama.adapters import NO_ADAPTERS, AppliedAdapters, ControlVector, apply_adapters, apply_control_vector
from engine.llama.batch import Batch, VectorBatch
from engine.llama.library import LlamaError, NoKvSlot
from engine.llama.model import Model
from engine.llama.resource import Resource

MAX_SEQUENCES = int(llama_cpp.llama_max_parallel_sequences())
"""Most sequences that a context can have."""

POOLING_NONE = llama_cpp.LLAMA_POOLING_TYPE_NONE
POOLING_FROM_MODEL = llama_cpp.LLAMA_POOLING_TYPE_UNSPECIFIED

_GGML_TYPE_BF16 = 30  # ggml.h; the bindings do not name it
_FLASH: dict[FlashAttention, int] = {
    "auto": llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}
_CACHE_TYPES: dict[CacheType, int] = {
    "f32": llama_cpp.GGML_TYPE_F32,
    "f16": llama_cpp.GGML_TYPE_F16,
    "bf16": _GGML_TYPE_BF16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q5_1": llama_cpp.GGML_TYPE_Q5_1,
    "q5_0": llama_cpp.GGML_TYPE_Q5_0,
    "q4_1": llama_cpp.GGML_TYPE_Q4_1,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
    "iq4_nl": llama_cpp.GGML_TYPE_IQ4_NL,
}
_ROPE_SCALINGS: dict[RopeScaling, int] = {
    "none": llama_cpp.LLAMA_ROPE_SCALING_TYPE_NONE,
    "linear": llama_cpp.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    "yarn": llama_cpp.LLAMA_ROPE_SCALING_TYPE_YARN,
    "longrope": llama_cpp.LLAMA_ROPE_SCALING_TYPE_LONGROPE,
}

_OUTCOMES = {2: "it was aborted", -1: "the batch is invalid"}


class ContextParams(msgspec.Struct, frozen=True, kw_only=True):
    """`ctx_size_tokens`: KV cells, shared by at most `sequences` sequences. `batch_tokens`: rows of one decode;
    `micro_batch_tokens`: of one pass through the graph. `threads` compute batches of one row, `batch_threads` (0: as many)
    larger ones. `pads`: whether batches may be padded. `outputs`: rows of one pass that may want an output; 0: all.
    `pooling`: one of POOLING_*, for embeddings."""

    ctx_size_tokens: int
    sequences: int
    batch_tokens: int
    micro_batch_tokens: int
    threads: int
    batch_threads: int = 0
    attention: Attention = Attention()
    rope: Rope = Rope()
    pads: bool = False
    outputs: int = 0
    embeddings: bool = False
    pooling: int = POOLING_FROM_MODEL


class Context(Resource):
    """Computed state of a number of sequences of one model."""

    def __init__(self, model: Model, params: ContextParams) -> None:
        """Allocate the KV cache and the graph's buffers; LlamaError where the model does not go with the parameters, or there is
        no memory."""
        library.forget_errors()
        handle = llama_cpp.llama_init_from_model(model.handle, _to_c(params))
        if not handle:
            reason = library.last_errors() or "out of memory?"
            raise LlamaError(f"llama.cpp can't make a context of {params.ctx_size_tokens} tokens: {reason}")
        super().__init__(handle, llama_cpp.llama_free)
        self._memory: Any = llama_cpp.llama_get_memory(handle)
        self._row: Any = ctypes.c_float * model.vocabulary_size
        self._embedding_length = model.embedding_length
        self.ctx_size_tokens = int(llama_cpp.llama_n_ctx(handle))
        self.batch_tokens = int(llama_cpp.llama_n_batch(handle))
        self.micro_batch_tokens = int(llama_cpp.llama_n_ubatch(handle))
        self.sequences = params.sequences
        self.can_pad = params.pads
        self.pooling = int(llama_cpp.llama_pooling_type(handle))
        ranks = self.pooling == llama_cpp.LLAMA_POOLING_TYPE_RANK
        self._pooled_length = len(model.class_labels) if ranks else model.embedding_length
        self._applied = NO_ADAPTERS

    def decode(self, batch: Batch | VectorBatch) -> None:
        """Compute the batch. NoKvSlot: nothing happened, there is no room; LlamaError: it failed."""
        outcome = llama_cpp.llama_decode(self._handle, batch.struct)
        if outcome == 1:
            raise NoKvSlot(f"the KV cache has no room for {len(batch)} tokens")
        if outcome:
            raise LlamaError(f"llama_decode returned {outcome}: {_OUTCOMES.get(outcome, 'it failed')}")

    def decode_together(self, batch: VectorBatch) -> None:
        """As `decode`, but each row sees all others; there may be no more of them than one pass through the graph takes."""
        llama_cpp.llama_set_causal_attn(self._handle, False)
        try:
            self.decode(batch)
        finally:
            llama_cpp.llama_set_causal_attn(self._handle, True)

    def decode_padded(self, batch: Batch, padding_rows: int, *, with_outputs: bool) -> None:
        """Compute the batch and so many more rows that belong to nobody, outputs and all or not, where it `can_pad`."""
        if padding_rows:
            wanted_from = 0 if with_outputs else padding_rows
            batch.add([0] * padding_rows, position=0, sequence=self.sequences, output_from=wanted_from)
        try:
            self.decode(batch)
        finally:
            if padding_rows:
                llama_cpp.llama_memory_seq_rm(self._memory, self.sequences, -1, -1)

    def apply(self, adapters: AppliedAdapters) -> None:
        """Compute with these LoRA adapters, and no others, from now on. A change costs about as much as a step."""
        if adapters.key != self._applied.key:
            apply_adapters(self._handle, adapters)
            self._applied = adapters

    def steer(self, vector: ControlVector) -> None:
        """Add a control vector to the hidden state from now on."""
        apply_control_vector(self._handle, vector)

    def want_embeddings(self, wanted: bool) -> None:
        """Whether the next batches yield embeddings, of every row then, or only leave their state."""
        llama_cpp.llama_set_embeddings(self._handle, wanted)

    def logits(self, row: int) -> NDArray[np.float32]:
        """A view of the logits of a row of the last batch that wanted an output; writing to it changes what is sampled."""
        pointer = llama_cpp.llama_get_logits_ith(self._handle, row)
        # For every token of every answer: numpy's own way from a pointer takes 40 microseconds.
        return np.frombuffer(self._row.from_address(ctypes.addressof(pointer.contents)), np.float32)

    def token_embedding(self, row: int) -> NDArray[np.float32]:
        """A copy of the embedding of a row of the last batch that wanted an output; only without pooling."""
        pointer = llama_cpp.llama_get_embeddings_ith(self._handle, row)
        if not pointer:
            raise LlamaError(f"llama.cpp has no embedding for row {row}")
        return np.ctypeslib.as_array(pointer, (self._embedding_length,)).copy()

    def embedding(self, sequence: int) -> NDArray[np.float32]:
        """A copy of what was pooled of a sequence of the last batch: its embedding, or of a ranking model the outputs of its head."""
        pointer = llama_cpp.llama_get_embeddings_seq(self._handle, sequence)
        if not pointer:
            raise LlamaError(f"llama.cpp has no embedding for sequence {sequence}")
        return np.ctypeslib.as_array(pointer, (self._pooled_length,)).copy()

    def keep_prefix(self, sequence: int, length: int) -> bool:
        """Forget a sequence's cells from position `length` on. False where its memory can't: then nothing changed."""
        return bool(llama_cpp.llama_memory_seq_rm(self._memory, sequence, length, -1))

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        """Let `target`, which must be empty, share the cells of `source` before position `length`.

        A running state (recurrent and hybrid models) is shared as it is, whatever the length: it must be that of `source`.
        """
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def first_position(self, sequence: int) -> int:
        """The first position that every layer still holds of a sequence: a sliding window's older ones are overwritten."""
        return int(llama_cpp.llama_memory_seq_pos_min(self._memory, sequence))

    def length(self, sequence: int) -> int:
        """Number of positions that the KV cache holds of a sequence."""
        return int(llama_cpp.llama_memory_seq_pos_max(self._memory, sequence)) + 1

    @property
    def capacity(self) -> int:
        """Number of positions that all sequences together may hold."""
        return self.ctx_size_tokens

    def saved_bytes(self, sequence: int) -> int:
        """How much `save` gives."""
        return int(llama_cpp.llama_state_seq_get_size_ext(self._handle, sequence, 0))

    def save(self, sequence: int) -> NDArray[np.uint8]:
        """A copy of all that is held of a sequence: keys and values, running states."""
        size = self.saved_bytes(sequence)
        state = np.empty(size, np.uint8)
        written = llama_cpp.llama_state_seq_get_data_ext(self._handle, _bytes_of(state), size, sequence, 0)
        if written != size:
            raise LlamaError(f"llama.cpp saved {written} bytes of a state of {size}")
        return state

    def restore(self, sequence: int, state: NDArray[np.uint8]) -> bool:
        """Let a sequence, which must be empty, hold what was saved. False where there is no room: then it holds nothing."""
        read = llama_cpp.llama_state_seq_set_data_ext(self._handle, _bytes_of(state), state.nbytes, sequence, 0)
        if not read:
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        return bool(read)

    def forget_all(self) -> None:
        """Empty the KV cache."""
        if self._memory:
            llama_cpp.llama_memory_clear(self._memory, False)


def _bytes_of(array: NDArray[np.uint8]) -> Any:
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))


def _to_c(params: ContextParams) -> Any:
    c = llama_cpp.llama_context_default_params()
    c.n_ctx = params.ctx_size_tokens
    c.n_seq_max = params.sequences + params.pads
    c.n_batch = params.batch_tokens
    c.n_ubatch = params.micro_batch_tokens
    c.n_outputs_max = params.outputs
    c.n_outputs_max_per_seq = 0
    c.n_threads = params.threads
    c.n_threads_batch = params.batch_threads or params.threads
    c.flash_attn_type = _FLASH[params.attention.flash]
    c.type_k = _CACHE_TYPES[params.attention.cache_type_k]
    c.type_v = _CACHE_TYPES[params.attention.cache_type_v]
    _set_rope(c, params.rope)
    c.embeddings = params.embeddings
    c.pooling_type = params.pooling
    # One buffer for all sequences makes a shared prefix a metadata copy, and lets one request use the whole context.
    c.kv_unified = True
    # The whole window is kept, else a cached prefix of a sliding-window model could not be resumed.
    c.swa_full = True
    return c


def _set_rope(c: Any, rope: Rope) -> None:
    """What is None stays at llama.cpp's default, which is the model's own."""
    if rope.scaling is not None:
        c.rope_scaling_type = _ROPE_SCALINGS[rope.scaling]
    values = {
        "rope_freq_base": rope.freq_base,
        "rope_freq_scale": rope.freq_scale,
        "yarn_orig_ctx": rope.yarn_orig_ctx,
        "yarn_ext_factor": rope.yarn_ext_factor,
        "yarn_attn_factor": rope.yarn_attn_factor,
        "yarn_beta_fast": rope.yarn_beta_fast,
        "yarn_beta_slow": rope.yarn_beta_slow,
    }
    for name, value in values.items():
        if value is not None:
            setattr(c, name, value)
