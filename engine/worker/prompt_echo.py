"""Owns the prompt's own text in an answer, and its log probabilities. Must not know how batches come about."""

from engine.events import TextDelta, TokenLogprob
from engine.llama.context import Context
from engine.llama.model import Model
from engine.request import TextPrompt
from engine.worker.logprobs import RowLogprobs
from engine.worker.scheduler import Chunk
from engine.worker.sequence import GenerationJob, Sequence


class PromptEcho:
    """Scores prompts as they are computed, and says them."""

    def __init__(self, model: Model, context: Context) -> None:
        self._model = model
        self._context = context

    def score(self, chunk: Chunk, first_row: int) -> None:
        """Note the log probabilities that this chunk gives for the prompt tokens behind its own."""
        sequence = chunk.sequence
        job = sequence.job
        top = job.request.logprobs or 0
        if not sequence.computed:
            first = sequence.tokens[0]
            sequence.prompt_logprobs = [TokenLogprob(token_id=first, bytes=self._piece(first), logprob=None)]
        following = job.prompt_tokens[sequence.computed + 1 : sequence.computed + chunk.count + 1]
        for row, token in enumerate(following, first_row):
            scores = RowLogprobs(self._context.logits(row), top)
            sequence.prompt_logprobs.append(scores.report(token, self._piece))

    def scored(self, sequence: Sequence) -> TextDelta:
        """The prompt with the log probabilities noted, which are then done with."""
        logprobs, sequence.prompt_logprobs = tuple(sequence.prompt_logprobs), []
        sequence.is_prompt_scored = True
        return TextDelta(index=sequence.index, text=self._text(sequence.job), logprobs=logprobs, echo=True)

    def plain(self, sequence: Sequence) -> TextDelta:
        """The prompt as text."""
        return TextDelta(index=sequence.index, text=self._text(sequence.job), echo=True)

    def _text(self, job: GenerationJob) -> str:
        prompt = job.request.prompt
        if isinstance(prompt, TextPrompt):
            return prompt.text
        return b"".join(map(self._piece, job.prompt_tokens)).decode("utf-8", "replace")

    def _piece(self, token: int) -> bytes:
        return self._model.piece(token, special=True)
