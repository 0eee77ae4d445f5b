"""Owns guesses by a small model: its context, kept in step with the answers of the large one. Must not know how guesses are verified."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import msgspec

from engine.config import LoadParams, Rope
from engine.llama import vocabulary
from engine.llama.batch import Batch
from engine.llama.context import Context, ContextParams
from engine.llama.library import LlamaError, NoKvSlot
from engine.llama.model import Model
from engine.worker.slots import Slot, Slots

_CATCH_UP_TOKENS = 256
"""Most tokens of a round: a long prompt is caught up with over several steps, or it would hold up every running answer."""


class Unguessed(msgspec.Struct, frozen=True):
    """An answer of which `wanted` more tokens are to be guessed behind its prompt's and its own. `salt`: see Slot."""

    tokens: Sequence[int]
    wanted: int
    salt: str


class _Branch(msgspec.Struct):
    """An answer as the draft model has it: known tokens, then guessed ones, `wanted` in all, computed as far as `slot` holds them."""

    tokens: list[int]
    wanted: int
    slot: Slot

    @property
    def pending(self) -> list[int]:
        """What is not computed yet."""
        return self.tokens[len(self.slot.tokens) :]


class DraftModel:
    """Guesses how answers go on, those of one step together. A context manager."""

    def __init__(self, path: Path, large: Model, params: LoadParams, context_params: ContextParams) -> None:
        """Load it beside the `large` model, with as much context. LlamaError says why it can't be, or can't guess for that model."""
        self._vocabulary_size = large.vocabulary_size
        with ExitStack() as stack:
            self.model = stack.enter_context(Model(path, params.placement))
            _check_fitness(self.model, large, path)
            sequences = params.parallel
            self._context = stack.enter_context(
                Context(self.model, msgspec.structs.replace(context_params, sequences=sequences, rope=Rope()))
            )
            self._resources = stack.pop_all()
        self._slots = Slots(self._context, sequences)
        self._batch = Batch(self._context.batch_tokens)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._resources.close()

    def guess(self, answers: Sequence[Unguessed]) -> list[list[int]]:
        """What may follow each answer's tokens: as many as are wanted, none where it has not caught up with what is known yet.

        Where the answers stand in the context is looked up anew each time: nothing has to be told of one that ends or steps back.
        """
        branches = [self._branch(answer) for answer in answers]
        try:
            while self._round(branches):
                pass
        finally:
            for branch in branches:
                self._slots.release(branch.slot)
        return [branch.tokens[len(answer.tokens) :] for branch, answer in zip(branches, answers, strict=True)]

    def _branch(self, answer: Unguessed) -> _Branch:
        slot = self._slots.acquire(answer.tokens, salt=answer.salt)
        assert slot is not None, "there are as many slots as sequences that are computed at once"
        return _Branch(list(answer.tokens), len(answer.tokens) + answer.wanted, slot)

    def check_integrity(self) -> None:
        """Raise AssertionError unless slots and KV cells agree."""
        self._slots.check_integrity()

    def _round(self, branches: Sequence[_Branch]) -> bool:
        """One token more for every branch that has caught up. False if there is nothing more to guess, or no room for it."""
        rows = list(self._fill(branches))
        if not rows or not self._compute():
            return False
        for branch, taken, last_row in rows:
            self._slots.advance(branch.slot, taken)
            if last_row is None:
                branch.wanted = 0
            else:
                self._append(branch, int(self._context.logits(last_row).argmax()))
        return True

    def _append(self, branch: _Branch, token: int) -> None:
        if token < self._vocabulary_size:
            branch.tokens.append(token)
        else:
            branch.wanted = 0

    def _fill(self, branches: Sequence[_Branch]) -> Iterator[tuple[_Branch, list[int], int | None]]:
        """Each branch with the tokens that go into the batch, and the row of its last known token if they reach it."""
        self._batch.clear()
        room = min(_CATCH_UP_TOKENS, self._batch.capacity)
        for branch in branches:
            taken = branch.pending[:room] if len(branch.tokens) < branch.wanted else []
            if not taken:
                continue
            room -= len(taken)
            reaches = len(taken) == len(branch.pending)
            row = self._batch.add(
                taken,
                position=len(branch.slot.tokens),
                sequence=branch.slot.number,
                output_from=len(taken) - 1 if reaches else len(taken),
            )
            yield branch, taken, row + len(taken) - 1 if reaches else None

    def _compute(self) -> bool:
        """Whether there was room: a guess is not worth a running answer's place, but an old answer's it is."""
        while True:
            try:
                self._context.decode(self._batch)
            except NoKvSlot:
                if not self._slots.evict_idle():
                    return False
            else:
                return True


def _check_fitness(model: Model, large: Model, path: Path) -> None:
    difference = vocabulary.difference(large, model)
    if difference:
        raise LlamaError(f"the draft model {path.name} has another vocabulary than the model: {difference}")
    if not (model.is_causal and model.pooling == "none" and model.removes_partially):
        raise LlamaError(
            f"the draft model {path.name} can't guess: expected one that continues text and can take back a part of its state"
        )
