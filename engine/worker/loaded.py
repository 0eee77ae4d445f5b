"""Owns the opening and closing of everything that a worker holds of libllama, in one ExitStack. Must not know requests or frames."""

import os
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import msgspec
import psutil

from engine.activity import WorkerActivity
from engine.config import LoadParams
from engine.errors import EngineError
from engine.families import LAST_RESORT, Family
from engine.llama.adapters import read_control_vector
from engine.llama.context import MAX_SEQUENCES, Context, ContextParams
from engine.llama.library import LlamaError
from engine.llama.model import Model
from engine.llama.projector import Projector
from engine.memory import lacking_memory
from engine.protocol import LoadedModel
from engine.worker.adapters import Adapters
from engine.worker.draft_model import DraftModel
from engine.worker.embeddings import Embedder
from engine.worker.generation import Generator
from engine.worker.media import MediaReader
from engine.worker.media_cache import MediaCache
from engine.worker.prefix_files import PrefixFiles, identity_of
from engine.worker.prepare import Preparer
from engine.worker.speculation import Speculation
from engine.worker.tally import Tally

_DEFAULT_CTX_TOKENS = 8192
_MOST_PREFIX_CACHE_BYTES = 4 << 30


class LoadedWorker:
    """A loaded model with all that computes with it; `generator` is None for a model that only embeds. A context manager."""

    def __init__(
        self,
        path: Path,
        params: LoadParams,
        family: Family = LAST_RESORT,
        *,
        cell_bytes: int = 0,
        draft_cell_bytes: int = 0,
    ) -> None:
        """Load the file of a model of `family`; LlamaError says why it can't be. A token takes `cell_bytes` in its KV cache, and
        `draft_cell_bytes` in that of the model that guesses."""
        self._cell_bytes = cell_bytes + draft_cell_bytes
        self._threads = params.threads or _default_threads()
        self._chat_template = params.chat_template
        self.tally = Tally()
        with ExitStack() as stack:
            self.model = stack.enter_context(Model(path, params.placement, end_marks=family.end_tokens))
            adapters = Adapters(self.model, params.lora, stack)
            self.draft_model: DraftModel | None = None
            self.generator = self._generator(stack, path, params) if _generates(self.model) else None
            ctx_size_tokens = self.generator.ctx_size_tokens if self.generator else self.model.context_length
            self.projector = self._projector(stack, params)
            self.media_cache = MediaCache(params.media_cache_bytes)
            self.preparer = Preparer(
                self.model,
                params,
                adapters,
                family,
                MediaReader(self.projector, self.media_cache),
                ctx_size_tokens=ctx_size_tokens,
            )
            stack.callback(self.preparer.close)
            self.embedder = Embedder(
                self.model,
                msgspec.structs.replace(params, threads=self._threads),
                adapters,
                answers_run=lambda: self.generator is not None and not self.generator.is_idle,
                cell_bytes=0 if self.model.gpu_layers else cell_bytes,
            )
            stack.callback(self.embedder.close)
            self._resources = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._resources.close()

    def activity(self) -> WorkerActivity:
        """What is going on; for any thread."""
        if self.generator is None:
            return WorkerActivity(step_age_seconds=self.tally.step_age_seconds)
        activity = self.generator.activity()
        if self.projector is None:
            return activity
        return msgspec.structs.replace(activity, caches=(*activity.caches, self.media_cache.activity()))

    @property
    def facts(self) -> LoadedModel:
        """What the host is told of it."""
        model = self.model
        all_weights = [model, self.draft_model.model] if self.draft_model else [model]
        projector_bytes = self.projector.size_bytes if self.projector else 0
        return LoadedModel(
            ctx_size_tokens=self.generator.ctx_size_tokens if self.generator else self.embedder.limit_tokens,
            input_limit_tokens=self.embedder.limit_tokens,
            embedding_length=model.embedding_length,
            vocabulary_size=model.vocabulary_size,
            capabilities=tuple(self._capabilities()),
            chat_template=self._chat_template or model.chat_template,
            size_bytes=sum(weights.size_bytes for weights in all_weights) + projector_bytes,
            gpu_bytes=sum(weights.gpu_bytes for weights in all_weights),
            gpu_layers=model.gpu_layers,
        )

    def _projector(self, stack: ExitStack, params: LoadParams) -> Projector | None:
        if params.projector is None or self.generator is None:
            return None
        projector = Projector(
            Path(params.projector),
            self.model,
            threads=self._threads,
            on_gpu=self.model.gpu_layers > 0,
            image_min_tokens=params.image_min_tokens,
            image_max_tokens=params.image_max_tokens,
        )
        return stack.enter_context(projector)

    def _generator(self, stack: ExitStack, path: Path, params: LoadParams) -> Generator:
        context_params = ContextParams(
            ctx_size_tokens=params.ctx_size_tokens
            or max(min(self.model.context_length, _DEFAULT_CTX_TOKENS), params.least_ctx_tokens),
            sequences=min(2 * params.parallel, MAX_SEQUENCES - 1),
            pads=self.model.removes_partially,
            batch_tokens=params.batch_tokens,
            micro_batch_tokens=min(params.batch_tokens, params.micro_batch_tokens),
            threads=self._threads,
            batch_threads=params.batch_threads,
            attention=params.attention,
            rope=params.rope,
        )
        self._check_memory(context_params.ctx_size_tokens)
        context = stack.enter_context(Context(self.model, context_params))
        if params.steering.vectors:
            context.steer(read_control_vector(self.model, params.steering))
        if params.drafting.model is not None:
            self.draft_model = stack.enter_context(
                DraftModel(Path(params.drafting.model), self.model, params, context_params)
            )
        speculation = Speculation(
            params.drafting, can_forget=self.model.removes_partially, draft_model=self.draft_model
        )
        files = _prefix_files(stack, path, params)
        generator = Generator(
            self.model,
            context,
            self.tally,
            speculation,
            parallel=params.parallel,
            target_step_seconds=params.target_step_seconds,
            prefix_cache_bytes=_prefix_cache_bytes(params),
            prefix_files=files,
        )
        stack.callback(generator.keep_prefixes)
        return generator

    def _check_memory(self, ctx_size_tokens: int) -> None:
        """LlamaError where the KV cache can't be had: the system would not refuse it, but end some process once it is used."""
        lacking = lacking_memory(ctx_size_tokens, self._cell_bytes) if not self.model.gpu_layers else None
        if lacking:
            raise LlamaError(lacking)

    def _capabilities(self) -> list[str]:
        if self.generator is None:
            return ["rerank" if self.model.pooling == "rank" else "embedding"]
        found = ["completion", "embedding"]
        if self.model.infill_tokens:
            found.append("insert")
        if self.projector is not None:
            found.extend(
                name for name, has in (("vision", self.projector.sees), ("audio", self.projector.hears)) if has
            )
        templates = self.preparer.templates
        with suppress(EngineError):  # a broken template, which requests are told of
            if templates.supports_tools:
                found.append("tools")
            if templates.supports_thinking:
                found.append("thinking")
        return found


def _prefix_cache_bytes(params: LoadParams) -> int:
    if params.prefix_cache_bytes is not None:
        return params.prefix_cache_bytes
    return min(psutil.virtual_memory().available // 8, _MOST_PREFIX_CACHE_BYTES)


def _prefix_files(stack: ExitStack, path: Path, params: LoadParams) -> PrefixFiles | None:
    if params.prefix_cache_dir is None:
        return None
    identity = identity_of(path, params)
    files = PrefixFiles(Path(params.prefix_cache_dir), params.prefix_cache_dir_bytes, identity)
    stack.callback(files.close)
    return files


def _generates(model: Model) -> bool:
    """Whether the model continues text: one that pools its output, or looks both ways, only embeds."""
    return model.is_causal and model.pooling == "none"


def _default_threads() -> int:
    """Physical cores, of those that this process may use: hyperthreads share the units that matrix products keep busy."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))
