"""What the names of model files say, as llama.cpp and model hubs give them: a part of a split model, and how its weights are kept.

Must not know what is in a file, nor which files there are.
"""

import re
from typing import NamedTuple

SUFFIX = ".gguf"
# llama.cpp's naming of split files (llama_split_path).
_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})", re.DOTALL)
_QUANTIZATION = re.compile(r"[-_.]((?:ud-)?(?:i?q\d\w*|tq\d\w*|bf16|f16|f32|fp16|fp32|mxfp4\w*|nvfp4))$", re.IGNORECASE)


class Part(NamedTuple):
    """A file of a split model: the `number`-th of `total`, from 1."""

    stem: str
    number: int
    total: int


def is_gguf_name(file_name: str) -> bool:
    """Whether a file is in the form that is read here, by its name."""
    return file_name.lower().endswith(SUFFIX)


def stem_of(file_name: str) -> str:
    """The name without what says that it is a GGUF file."""
    return file_name[: -len(SUFFIX)] if is_gguf_name(file_name) else file_name


def part_of(stem: str) -> Part | None:
    """Which part of a split model a file of this stem is; None where it is a model by itself."""
    found = _PART.fullmatch(stem)
    return Part(found["stem"], int(found["number"]), int(found["count"])) if found else None


def without_part(stem: str) -> str:
    """The same for all parts of a split model."""
    part = part_of(stem)
    return part.stem if part else stem


def quantization_named(stem: str) -> str | None:
    """How the weights are kept, in the words of the name's end and in upper case; None where it does not say."""
    found = _QUANTIZATION.search(without_part(stem))
    return found[1].upper() if found else None


def without_quantization(stem: str) -> str:
    """The same for all files of a model that differ in how its weights are kept."""
    return _QUANTIZATION.sub("", without_part(stem))
