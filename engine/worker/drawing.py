"""Owns the drawing of one token from a row of logits: the constraint's mask, the sampler, what is reported of the probabilities.

Must not know batches or events' order.
"""

from collections.abc import Iterator

import msgspec

from engine.errors import EngineError
from engine.events import TokenLogprob
from engine.llama.candidates import NoCandidates
from engine.llama.context import Context
from engine.llama.model import Model
from engine.worker.logprobs import RowLogprobs
from engine.worker.sequence import Sequence


class Drawn(msgspec.Struct, frozen=True):
    """A token that was drawn, or had to follow, with its log probability where the request asks for it."""

    token: int
    logprob: TokenLogprob | None = None


class Drawing:
    """Draws from the outputs of one context's last batch."""

    def __init__(self, model: Model, context: Context) -> None:
        self._model = model
        self._context = context

    def draw(self, sequence: Sequence, row: int) -> Drawn:
        """The token that follows the sequence's known ones, whose last is computed in `row`. Sampler and constraint advance."""
        request = sequence.job.request
        wants_scores = request.logprobs is not None or request.score
        scores = RowLogprobs(self._context.logits(row), request.logprobs or 0) if wants_scores else None
        if sequence.constraint:
            sequence.constraint.mask(self._context.logits(row))
        token = self._sample(sequence, row)
        sequence.job.note_token()
        if sequence.constraint:
            sequence.constraint.accept(token)
        if scores and request.score:
            sequence.cumulative_logprob += scores.of(token)
        if scores is None or request.logprobs is None:
            return Drawn(token, None)
        return Drawn(token, scores.report(token, self._model.piece))

    def certain(self, sequence: Sequence) -> Iterator[Drawn]:
        """The tokens that can only follow: those that end thinking which has used up its budget, then those that the constraint leaves.
        They need no drawing. Sampler and constraint advance over each that is taken."""
        budget, allows = sequence.reasoning_budget, sequence.constraint.allows if sequence.constraint else bool
        for token in budget.closing(sequence.output, allows) if budget else ():
            yield self._taken(sequence, token)
        if self._may_skip_drawing(sequence):
            assert sequence.constraint is not None
            for token in sequence.constraint.forced():
                if token in self._model.end_tokens:
                    return  # to end is drawn, as ever
                yield self._taken(sequence, token)

    @staticmethod
    def _taken(sequence: Sequence, token: int) -> Drawn:
        if sequence.constraint:
            sequence.constraint.accept(token)
        sequence.sampler.accept((token,))
        return Drawn(token)

    @staticmethod
    def _may_skip_drawing(sequence: Sequence) -> bool:
        """Not where log probabilities are wanted, for these are not known before each token is computed, nor where the request itself
        rules tokens out, for then they may be among those that the constraint leaves."""
        request = sequence.job.request
        is_scored = request.logprobs is not None or request.score
        return sequence.constraint is not None and not is_scored and not request.sampling.logit_bias

    def _sample(self, sequence: Sequence, row: int) -> int:
        """The next token. Where the request's own bans leave none that its constraint allows, that is their fault."""
        try:
            return sequence.sampler.sample(self._context, row)
        except NoCandidates as error:
            if not (sequence.constraint and sequence.job.request.sampling.logit_bias):
                raise
            raise EngineError(
                "invalid_request", "it bans every token that the schema allows at this place", param="logit_bias"
            ) from error
