"""Owns the LoRA adapters that are loaded with a model, and which of them a request is computed with. Must not know batches."""

from contextlib import ExitStack
from pathlib import Path

from engine.config import LoraFile
from engine.errors import EngineError
from engine.llama.adapters import NO_ADAPTERS, AppliedAdapters, LoraAdapter
from engine.llama.model import Model
from engine.request import LoraScale


class Adapters:
    """The adapters of one model, in the order in which they were named."""

    def __init__(self, model: Model, files: tuple[LoraFile, ...], stack: ExitStack) -> None:
        """Load them; `stack` closes them. LlamaError says which can't be loaded and why."""
        self._files = files
        self._loaded = [stack.enter_context(LoraAdapter(model, Path(file.path))) for file in files]
        self._numbers = {file.name: number for number, file in enumerate(files)}

    def chosen(self, wanted: tuple[LoraScale, ...] | None) -> AppliedAdapters:
        """What a request wants: each adapter at its own scale where it says nothing, else those that it names alone."""
        if wanted is None:
            return self._applied({number: file.scale for number, file in enumerate(self._files)})
        scales: dict[int, float] = {}
        for place, choice in enumerate(wanted):
            number = self._number(choice.adapter, place)
            if number in scales:
                raise EngineError("invalid_request", f"[{place}] names adapter {choice.adapter!r} again", param="lora")
            scales[number] = choice.scale
        return self._applied(scales)

    def _number(self, adapter: int | str, place: int) -> int:
        number = self._numbers.get(adapter) if isinstance(adapter, str) else adapter
        if number is None or not 0 <= number < len(self._files):
            raise EngineError(
                "invalid_request", f"[{place}] names adapter {adapter!r}, but {self._known()}", param="lora"
            )
        return number

    def _known(self) -> str:
        names = ", ".join(f"{number} ({file.name})" for number, file in enumerate(self._files))
        return f"this model's are: {names}" if names else "this model is loaded without any"

    def _applied(self, scales: dict[int, float]) -> AppliedAdapters:
        """An adapter at scale 0 is none."""
        used = sorted((number, scale) for number, scale in scales.items() if scale)
        if not used:
            return NO_ADAPTERS
        key = ",".join(f"{number}={scale!r}" for number, scale in used)
        return AppliedAdapters(tuple((self._loaded[number], scale) for number, scale in used), key)
