"""Owns the C arrays of one llama_batch, filled through numpy. Must not know what the rows are for."""

import ctypes
from collections.abc import Sequence
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

_POINTER = ctypes.POINTER(ctypes.c_int32)


class Batch:
    """The rows of one decode: token, position, sequence, and whether an output is wanted.

    numpy owns the memory and the C structure points into it, so that filling a row costs no C call and nothing has to be freed.
    """

    def __init__(self, capacity: int) -> None:
        """Room for `capacity` rows, each of one sequence."""
        self.capacity = capacity
        self._tokens = np.zeros(capacity, dtype=np.int32)
        self._positions = np.zeros(capacity, dtype=np.int32)
        self._sequences = np.zeros(capacity, dtype=np.int32)
        self._outputs = np.zeros(capacity, dtype=np.int8)
        self._sequence_counts = np.ones(capacity, dtype=np.int32)
        first = self._sequences.ctypes.data
        self._sequence_pointers = (_POINTER * capacity)(
            *(ctypes.cast(first + 4 * i, _POINTER) for i in range(capacity))
        )
        self._size = 0
        self._struct = self._point_at_arrays()

    def _point_at_arrays(self) -> Any:
        batch: Any = llama_cpp.llama_batch()
        batch.token = self._tokens.ctypes.data_as(_POINTER)
        batch.pos = self._positions.ctypes.data_as(_POINTER)
        batch.n_seq_id = self._sequence_counts.ctypes.data_as(_POINTER)
        batch.seq_id = ctypes.cast(self._sequence_pointers, ctypes.POINTER(_POINTER))
        batch.logits = self._outputs.ctypes.data_as(ctypes.POINTER(ctypes.c_int8))
        return batch

    def __len__(self) -> int:
        return self._size

    def clear(self) -> None:
        """Forget all rows."""
        self._size = 0

    def add(self, tokens: Sequence[int], *, position: int, sequence: int, output_from: int) -> int:
        """Append `tokens` of `sequence`, the first at `position`; those from index `output_from` on want an output.

        Returns the row of the first. ValueError if they do not fit.
        """
        start, end = self._size, self._size + len(tokens)
        if end > self.capacity:
            raise ValueError(f"{len(tokens)} rows do not fit behind {start} of {self.capacity}")
        self._tokens[start:end] = tokens
        self._positions[start:end] = np.arange(position, position + len(tokens))
        self._sequences[start:end] = sequence
        self._outputs[start:end] = 0
        self._outputs[start + output_from : end] = 1
        self._size = end
        return start

    @property
    def struct(self) -> Any:
        """The llama_batch with the rows added so far."""
        self._struct.n_tokens = self._size
        return self._struct


class VectorBatch:
    """Rows that are vectors in place of tokens, all of one sequence, at given positions (axes, rows). `with_output`: of the last."""

    def __init__(
        self, vectors: NDArray[np.float32], positions: NDArray[np.int32], sequence: int, *, with_output: bool = False
    ) -> None:
        self._size = len(vectors)
        self._vectors = np.ascontiguousarray(vectors)
        self._positions = np.ascontiguousarray(positions)
        self._sequence = np.array([sequence], dtype=np.int32)
        self._counts = np.ones(self._size, dtype=np.int32)
        self._outputs = np.zeros(self._size, dtype=np.int8)
        self._outputs[-1] = with_output
        self._pointers = (_POINTER * self._size)(*([self._sequence.ctypes.data_as(_POINTER)] * self._size))

    def __len__(self) -> int:
        return self._size

    @property
    def struct(self) -> Any:
        """The llama_batch; it points into this object's memory."""
        batch: Any = llama_cpp.llama_batch()
        batch.n_tokens = self._size
        batch.embd = self._vectors.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        batch.pos = self._positions.ctypes.data_as(_POINTER)
        batch.n_seq_id = self._counts.ctypes.data_as(_POINTER)
        batch.seq_id = ctypes.cast(self._pointers, ctypes.POINTER(_POINTER))
        batch.logits = self._outputs.ctypes.data_as(ctypes.POINTER(ctypes.c_int8))
        return batch
