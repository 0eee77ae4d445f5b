"""Owns libllama as a whole: start-up, its log, what it was built with, and the exceptions its return codes become.

Must not know models, contexts or requests.
"""

import ctypes
import functools
import logging
from typing import Any

import llama_cpp

_log = logging.getLogger("llama")

_LEVELS = {1: logging.DEBUG, 2: logging.DEBUG, 3: logging.WARNING, 4: logging.ERROR}
"""ggml's log levels as Python's; its "info" is chatter about every tensor, so it counts as debug here."""


_EXPECTED = (
    "failed to find a memory slot",
    "failed to prepare attention ubatches",
    "failed to prepare recurrent ubatches",
    "using full-size SWA cache",
)
"""What it warns of although it is meant to be so: a batch that has no room is tried again when room is made."""


class LlamaError(Exception):
    """A call into libllama failed; the message says which and how."""


class NoKvSlot(LlamaError):
    """The KV cache has no room for the batch; nothing was computed and nothing changed."""


class _LogWriter:
    """Joins libllama's log pieces into lines. The last error lines are kept: they are all it says of why a load failed."""

    def __init__(self) -> None:
        self._level = logging.DEBUG
        self._partial = ""
        self.errors: list[str] = []

    def write(self, level: int, piece: str) -> None:
        self._level = _LEVELS.get(level, self._level)
        *lines, self._partial = (self._partial + piece).split("\n")
        for line in filter(None, map(str.rstrip, lines)):
            if any(words in line for words in _EXPECTED):
                _log.debug("%s", line)
                continue
            _log.log(self._level, "%s", line)
            if self._level >= logging.ERROR:
                self.errors = [*self.errors[-4:], line]


_writer = _LogWriter()


def _on_log(level: int, text: bytes, _user_data: ctypes.c_void_p) -> None:
    _writer.write(level, text.decode("utf-8", "replace"))


log_callback = llama_cpp.llama_log_callback(_on_log)
"""Kept alive as long as the process: libllama holds its address."""


@functools.cache
def start() -> None:
    """Initialise libllama and take over its log. Once for the process, before anything else here."""
    llama_cpp.llama_log_set(log_callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()


def last_errors() -> str:
    """What libllama last logged as errors, on one line; empty if nothing."""
    return "; ".join(_writer.errors)


def forget_errors() -> None:
    """Start collecting errors afresh."""
    _writer.errors = []


def version() -> str:
    """The release of the bindings, and with it of llama.cpp."""
    return str(llama_cpp.__version__)


def supports_gpu() -> bool:
    """Whether libllama was built with a GPU backend and finds a device for it."""
    return bool(llama_cpp.llama_supports_gpu_offload())


def address(pointer: Any) -> int:
    """The address a ctypes pointer holds; 0 for NULL."""
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0
