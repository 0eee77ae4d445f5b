"""Start of a worker: `python -m engine.worker FD`, where FD is its end of the connection to the host.

Loads what it is told to, then serves. Must not know what requests are.
"""

import logging
import signal
import socket
import sys
import threading
from pathlib import Path

from engine.families import FAMILIES
from engine.llama.library import LlamaError
from engine.protocol import FrameReader, Load, LoadFailed, Ready, decode_to_worker
from engine.worker.loaded import LoadedWorker
from engine.worker.loop import Loop, send

_SWITCH_SECONDS = 0.0005
_STACK_BYTES = 64 << 20
"""Of each thread, taken as far as it is used: a large schema has its compiler call itself thousands of times."""


def main() -> int:
    """Exit code 0 when the host has gone, 1 when the model could not be loaded."""
    # The terminal's Ctrl-C reaches the whole process group; the host decides when a worker ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A thread that prepares a long prompt must not make the decoding one wait for its turn after every call into C.
    sys.setswitchinterval(_SWITCH_SECONDS)
    threading.stack_size(_STACK_BYTES)
    connection = socket.socket(fileno=int(sys.argv[1]))
    load = _first_frame(connection)
    if load is None:
        return 0
    logging.basicConfig(level=load.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    return _serve(connection, load)


def _serve(connection: socket.socket, load: Load) -> int:
    try:
        worker = LoadedWorker(
            Path(load.path),
            load.params,
            FAMILIES[load.family],
            cell_bytes=load.cell_bytes,
            draft_cell_bytes=load.draft_cell_bytes,
        )
    except LlamaError as error:
        send(connection, LoadFailed(message=str(error)))
        return 1
    with worker:
        send(connection, Ready(model=worker.facts))
        Loop(connection, worker).run()
    return 0


def _first_frame(connection: socket.socket) -> Load | None:
    """The host's first frame; None if it has gone. The host sends nothing more before it is answered."""
    reader = FrameReader()
    while data := connection.recv(1 << 16):
        for body in reader.feed(data):
            frame = decode_to_worker(body)
            if not isinstance(frame, Load):
                raise TypeError(f"expected Load as the first frame, got {type(frame).__name__}")
            return frame
    return None


if __name__ == "__main__":
    sys.exit(main())
