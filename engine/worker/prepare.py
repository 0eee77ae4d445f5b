"""Owns the way from a request to work for the scheduler: template, tokens, limits, sampler, constraint.

Runs in threads beside the decoding one: it reads the model's vocabulary, never a context. Everything that can be wrong with a request is
found here and raised as EngineError.
"""

from contextlib import ExitStack

import msgspec

from engine.config import LoadParams
from engine.errors import EngineError
from engine.families import Family
from engine.llama.constraint import Constraint
from engine.llama.dry_samplers import DrySamplers
from engine.llama.logit_edits import BANNED
from engine.llama.model import Model
from engine.llama.sampler import Sampler
from engine.request import (
    MAX_BREAKER_BYTES,
    ChatPrompt,
    GenerationRequest,
    InfillPrompt,
    JsonObject,
    Prompt,
    TextPrompt,
    TokenizeRequest,
    TokenPrompt,
)
from engine.worker.adapters import Adapters
from engine.worker.answer_form import AnswerForm
from engine.worker.guessing import guessers
from engine.worker.media import MediaReader, MediaReading
from engine.worker.media_places import without_media
from engine.worker.media_turns import Steps, in_one_go
from engine.worker.output import AnswerOutput
from engine.worker.prompt_templates import PromptTemplates
from engine.worker.sequence import GenerationJob, Sequence
from engine.worker.stop_strings import StopStrings

_SYSTEM_ROLES = ("system", "developer")
_MAX_STOP_CHARACTERS = 1 << 14


class Preparer:
    """Prepares requests for one model, loaded with `params`, whose context has `ctx_size_tokens`."""

    def __init__(
        self,
        model: Model,
        params: LoadParams,
        adapters: Adapters,
        family: Family,
        media: MediaReader,
        *,
        ctx_size_tokens: int,
    ) -> None:
        self._model = model
        self._media = media
        self._micro_batch_tokens = min(params.batch_tokens, params.micro_batch_tokens)
        self._drafting = params.drafting
        self._adapters = adapters
        self._ctx_size_tokens = ctx_size_tokens
        replaced = params.chat_template is not None
        self.templates = PromptTemplates(
            params.chat_template or model.chat_template or family.template,
            {} if replaced else model.named_templates,
            bos_token=model.special_text("bos"),
            eos_token=model.special_text("eos"),
        )
        self._form = AnswerForm(model, self.templates.text, reasoning_budget_tokens=params.reasoning_budget_tokens)
        self._dry_samplers = DrySamplers(model)

    def close(self) -> None:
        """Free what is kept for later requests."""
        self._dry_samplers.close()

    def generation(self, request_id: int, request: GenerationRequest) -> GenerationJob:
        """The job for a generation request. Whoever gets it closes it."""
        return in_one_go(self.preparation(request_id, request))

    def preparation(self, request_id: int, request: GenerationRequest) -> Steps[GenerationJob]:
        """The same, in steps: each cuts or encodes one picture or sound."""
        self._check_tokens(request.sampling.logit_bias, "logit_bias")
        self._check_bans(request)
        _check_breakers(request)
        limit = min(self._ctx_size_tokens, request.context_limit_tokens or self._ctx_size_tokens)
        with ExitStack() as stack:
            reading = yield from self._media.reading(request.media, request.cache_salt, stack)
            tokens = self._fitting_tokens(request, limit, reading)
            places = yield from reading.places(tokens, micro_batch_tokens=self._micro_batch_tokens)
        limit -= places.extra_rows
        text_tokens = without_media(tokens) if places else tokens
        check, stop = self._form.check(request), _stop_strings(request)
        constraint = self._form.constraint(request, text_tokens)
        if request.max_tokens is not None:
            limit = min(limit, len(tokens) + request.max_tokens)
        job = GenerationJob(request_id, request, tokens, limit, self._adapters.chosen(request.lora), places)
        if isinstance(request.prompt, ChatPrompt):
            job.unused = self.templates.unused(request.prompt)
        guesser = guessers(request, tokens, self._drafting, self._plain)
        with job.resources:
            for index in range(request.n):
                held_to = constraint.copy() if constraint else None
                output = AnswerOutput(
                    index,
                    stop=stop.copy(),
                    parser=self._form.parser(request, text_tokens),
                    marks=self._form.marks,
                    check=check.copy() if check else None,
                )
                sequence = self._sequence(job, index, text_tokens, held_to, output)
                sequence.guesser = guesser()
                job.sequences.append(sequence)
            job.unfinished = request.n
            job.resources = job.resources.pop_all()
        return job

    def render(self, prompt: ChatPrompt) -> str:
        """The prompt text of a conversation."""
        return self.templates.render(prompt)

    def _sequence(
        self,
        job: GenerationJob,
        index: int,
        text_tokens: list[int],
        constraint: Constraint | None,
        output: AnswerOutput,
    ) -> Sequence:
        request = job.request
        sampling = request.sampling
        if sampling.seed is not None and index:
            sampling = msgspec.structs.replace(sampling, seed=sampling.seed + index)
        banned = self._model.end_tokens if request.ignore_eos else ()
        sampler = job.resources.enter_context(
            Sampler(
                self._model,
                sampling,
                ctx_size_tokens=self._ctx_size_tokens,
                dry_samplers=self._dry_samplers,
                banned=banned,
            )
        )
        window = sampler.look_back_tokens
        sampler.accept(text_tokens[-window:] if window else ())
        return Sequence(
            job,
            index,
            sampler=sampler,
            constraint=constraint,
            output=output,
            reasoning_budget=self._form.reasoning_budget(request),
        )

    def _fitting_tokens(self, request: GenerationRequest, limit: int, reading: MediaReading) -> list[int]:
        """The prompt's tokens, with room left for an answer; shortened only where the request allows it, and never within a picture."""
        room = limit if request.max_tokens == 0 else limit - 1
        prompt = request.prompt
        if isinstance(prompt, ChatPrompt):
            prompt = reading.marked(prompt)
        tokens = self.tokens(prompt, reading)
        if reading.rows(tokens) > room and request.truncate_prompt and isinstance(prompt, ChatPrompt):
            tokens = self._with_fewer_messages(prompt, room, reading) or tokens
        if len(tokens) > room and request.truncate_prompt and min(tokens) >= 0:
            tokens = self._last_tokens(tokens, room)
        rows = reading.rows(tokens)
        if rows > room:
            raise EngineError(
                "context_length_exceeded",
                f"the prompt has {rows} tokens, but the model's context is {limit} tokens, of which at least one is for the answer",
                param="messages" if isinstance(prompt, ChatPrompt) else "prompt",
            )
        if not tokens:
            raise EngineError("invalid_request", "the prompt has no tokens; expected at least one", param="prompt")
        return tokens

    def _with_fewer_messages(self, prompt: ChatPrompt, room: int, reading: MediaReading) -> list[int] | None:
        """The longest end of the conversation that fits behind its system messages; None if not even the last message does.

        An end begins with what the user says, unless it is the last message alone. Doubles what it tries before it halves, so that what it
        costs depends on what fits and not on what came.
        """
        system = tuple(m for m in prompt.messages if m["role"] in _SYSTEM_ROLES)
        others = [m for m in prompt.messages if m["role"] not in _SYSTEM_ROLES]
        ends = [others[number:] for number in _beginnings(others)]
        best: list[int] | None = None
        low, count, high = 0, 1, len(ends) + 1
        while low < count < high:
            shorter = msgspec.structs.replace(prompt, messages=(*system, *ends[-count]))
            tokens = self.tokens(shorter, reading)
            if reading.rows(tokens) <= room:
                best, low = tokens, count
            else:
                high = count
            count = min(2 * low, high - 1) if high > len(ends) else (low + high) // 2
        return best

    def _last_tokens(self, tokens: list[int], room: int) -> list[int]:
        bos = self._model.bos_token
        if bos is not None and tokens[0] == bos and room > 1:
            return [bos, *tokens[-(room - 1) :]]
        return tokens[-room:]

    def text_tokens(self, request: TokenizeRequest) -> list[int]:
        """The token ids of a bare text."""
        return self._model.tokenize(request.text, add_special=request.add_special, parse_special=request.parse_special)

    def text(self, tokens: tuple[int, ...]) -> str:
        """The text of token ids, control tokens included."""
        self._check_tokens(tokens, "tokens")
        return b"".join(self._model.piece(t, special=True) for t in tokens).decode("utf-8", "replace")

    def tokens(self, prompt: Prompt, reading: MediaReading) -> list[int]:
        """The token ids of a prompt, special ones included, and what stands for its pictures and sounds."""
        match prompt:
            case TextPrompt():
                return self._model.tokenize(prompt.text, add_special=True, parse_special=prompt.parse_special)
            case TokenPrompt():
                self._check_tokens(prompt.tokens, "prompt")
                return [*prompt.tokens, *self._plain(prompt.text)]
            case InfillPrompt():
                return self._infill_tokens(prompt)
            case ChatPrompt():
                self._check_tokens(prompt.prefix_tokens, "context")
                return self._chat_tokens(prompt, reading)

    def _chat_tokens(self, prompt: ChatPrompt, reading: MediaReading) -> list[int]:
        tokens = reading.tokens(prompt, self.render(prompt), self._plain)
        bos = self._model.bos_token
        if prompt.prefix_tokens:
            return [*prompt.prefix_tokens, *(tokens[1:] if tokens[:1] == [bos] else tokens)]
        return tokens if bos is None or tokens[:1] == [bos] else [bos, *tokens]

    def _infill_tokens(self, prompt: InfillPrompt) -> list[int]:
        special = self._model.infill_tokens
        if special is None:
            raise EngineError(
                "not_supported_by_model", "this model's vocabulary has no fill-in-the-middle tokens", param="suffix"
            )
        before_prefix, before_suffix, before_middle = special
        bos = self._model.bos_token
        start = [] if bos is None else [bos]
        prefix, suffix = (
            self._model.tokenize(t, add_special=False, parse_special=False) for t in (prompt.prefix, prompt.suffix)
        )
        return [*start, before_prefix, *prefix, before_suffix, *suffix, before_middle]

    def _plain(self, text: str) -> list[int]:
        return self._model.tokenize(text, add_special=False, parse_special=True)

    def _check_tokens(self, tokens: tuple[int, ...] | dict[int, float], param: str) -> None:
        size = self._model.vocabulary_size
        wrong = next((t for t in tokens if not 0 <= t < size), None)
        if wrong is not None:
            raise EngineError(
                "invalid_request",
                f"token id {wrong} is not in the model's vocabulary; expected 0 to {size - 1}",
                param=param,
            )

    def _check_bans(self, request: GenerationRequest) -> None:
        banned = {token for token, bias in request.sampling.logit_bias.items() if bias <= BANNED}
        if banned and len(banned.union(self._model.end_tokens)) == self._model.vocabulary_size:
            raise EngineError("invalid_request", "it bans every token but those that end an answer", param="logit_bias")


def _beginnings(messages: list[JsonObject]) -> list[int]:
    """Where a conversation may be cut."""
    users = [number for number, message in enumerate(messages) if message["role"] == "user"]
    last = len(messages) - 1
    return users if not messages or users[-1:] == [last] else [*users, last]


def _check_breakers(request: GenerationRequest) -> None:
    dry = request.sampling.dry
    for index, text in enumerate(dry.sequence_breakers if dry else ()):
        if not 0 < len(text.encode()) <= MAX_BREAKER_BYTES:
            raise EngineError(
                "invalid_request",
                f"the text {text!r} has {len(text.encode())} bytes; expected 1 to {MAX_BREAKER_BYTES}",
                param=f"dry_sequence_breakers[{index}]",
            )


def _stop_strings(request: GenerationRequest) -> StopStrings:
    """What finds them takes memory for each of their characters."""
    length = sum(map(len, request.stop))
    if length > _MAX_STOP_CHARACTERS:
        raise EngineError(
            "invalid_request",
            f"the stop strings have {length} characters in all; expected at most {_MAX_STOP_CHARACTERS}",
            param="stop",
        )
    return StopStrings(request.stop)
