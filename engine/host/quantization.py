"""Owns the making of a quantized file from another: which type it gets, what stands in the way, and that it is there whole or not at all.

The computing is done in a process of its own, as a model's is: whatever a file does to llama.cpp, that process alone dies of it. Must not
know the command line.
"""

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import CatalogError
from engine.families import Recognition
from engine.host.catalog import ModelEntry, parts_of, read_model
from engine.host.ggml_types import FILE_TYPES, TENSOR_BLOCKS, TENSOR_TYPES
from engine.host.process import describe_end, engine_environment

COMMAND = (sys.executable, "-P", "-m", "engine.worker.quantize")

_NOT_WRITTEN = frozenset({"NVFP4"})
"""llama.cpp reads it and does not write it."""
_OF_A_MATRIX = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "Q2_K_S"})
"""llama.cpp writes them only with an importance matrix."""
_CODES = {name: code for code, name in FILE_TYPES.items() if name not in _NOT_WRITTEN}
QUANTIZATIONS = tuple(name for name in _CODES if name not in _OF_A_MATRIX)
"""What a model can be written as."""

_QUANTIZED_TENSORS = frozenset(TENSOR_TYPES[code] for code, (weights, _) in TENSOR_BLOCKS.items() if weights > 1)
_FULL_DISK_BYTES = 1 << 20


class QuantizationError(Exception):
    """It can't be done. The text is one line that says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """What is to be written: the model of `source`, in `target`, as `type`. `is_recommended`: because its family's record says so."""

    source: ModelEntry
    target: Path
    type: str
    is_recommended: bool
    requantizes: bool

    @property
    def recognition(self) -> Recognition:
        """The model's family."""
        return self.source.metadata.recognition


def plan_quantization(
    source: Path, target: Path, wanted_type: str | None = None, *, requantizes: bool = False
) -> Quantization:
    """What is to be done. `wanted_type`: one of QUANTIZATIONS, in any case; None: the one recommended for the model's family.
    Raises QuantizationError."""
    entry = _entry(source)
    recommended = entry.metadata.recognition.family.quantization
    plan = Quantization(entry, target, _known(wanted_type or recommended), wanted_type is None, requantizes)
    if not requantizes:
        _refuse_quantized(entry)
    _require_place(plan)
    return plan


def write_quantization(plan: Quantization, *, command: tuple[str, ...] = COMMAND) -> ModelEntry:
    """Do it: the new model. Raises QuantizationError, and then there is no new file. Takes minutes for a large model; when interrupted,
    or ended in whatever way, it leaves nothing under the target's name."""
    unfinished = plan.target.with_name(f"{plan.target.name}.{os.getpid()}.part")
    try:
        _run(plan, unfinished, command)
        written = _entry(unfinished)
        unfinished.rename(plan.target)
    except OSError as error:
        raise QuantizationError(f"{plan.target}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return written


def _entry(path: Path) -> ModelEntry:
    if path.is_dir():
        raise QuantizationError(f"{path}: expected a GGUF file, not a directory")
    try:
        return read_model(path)
    except CatalogError as error:
        raise QuantizationError(str(error)) from None


def _known(name: str) -> str:
    found = name.upper()
    if found in _OF_A_MATRIX:
        raise QuantizationError(
            f"{found} takes an importance matrix of the model, which is not read here; expected one of {', '.join(QUANTIZATIONS)}"
        )
    if found not in QUANTIZATIONS:
        raise QuantizationError(f"there is no quantization {name!r}; expected one of {', '.join(QUANTIZATIONS)}")
    return found


def _refuse_quantized(entry: ModelEntry) -> None:
    quantized = sorted({tensor.type for tensor in entry.metadata.shapes} & _QUANTIZED_TENSORS)
    if quantized:
        raise QuantizationError(
            f"{entry.path}: it is quantized already (it has tensors of type {', '.join(quantized)}), and what was lost stays lost: "
            "quantize the F16, BF16 or F32 file, or say --requantize"
        )


def _require_place(plan: Quantization) -> None:
    folder = plan.target.parent
    if not _names_a_whole_model(plan.target):
        raise QuantizationError(
            f"{plan.target}: a name of this form is that of a part of a model, and one file is written"
        )
    if os.path.lexists(plan.target):
        raise QuantizationError(f"{plan.target}: there is a file of this name already")
    if not os.access(folder, os.W_OK) or not folder.is_dir():
        raise QuantizationError(f"{plan.target}: its directory is not there, or can't be written to")
    least_bytes = plan.source.metadata.parameter_count * _nominal_bits(plan.type) // 8
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < least_bytes:
        raise QuantizationError(
            f"{plan.target}: no room for it: as {plan.type} it takes more than {least_bytes} bytes, and the disk has {free_bytes} left"
        )


def _names_a_whole_model(path: Path) -> bool:
    with suppress(CatalogError):
        return len(parts_of(path)) == 1
    return False


def _nominal_bits(quantization: str) -> int:
    """What a weight takes at the least: the number in the type's name, which leaves out scales and what is kept better."""
    found = re.search(r"\d+", quantization)
    assert found is not None
    return int(found[0])


def _run(plan: Quantization, unfinished: Path, command: tuple[str, ...]) -> None:
    """Have it computed. The process ends when its standard input does, and so with this one."""
    code = str(_CODES[plan.type])
    arguments = (str(plan.source.path), str(unfinished), code, str(int(plan.requantizes)))
    with subprocess.Popen(  # noqa: S603 - our own module, and the user's files
        (*command, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=engine_environment(),
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read().decode("utf-8", "replace").splitlines()
        exit_code = process.wait()
    if not exit_code:
        return
    if shutil.disk_usage(plan.target.parent).free < _FULL_DISK_BYTES:
        raise QuantizationError(f"{plan.target}: the disk has no room left for it")
    if exit_code == 1 and said:
        raise QuantizationError(said[-1])
    raise QuantizationError(f"{plan.source.path}: the process that quantizes it {describe_end(exit_code)}")
