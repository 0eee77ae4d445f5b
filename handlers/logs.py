"""The log: one format, on standard error. Must not know what is logged."""

import logging
import sys

_QUIET = ("uvicorn", "asyncio", "httpx", "connexion")
_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)-7s %(message)s"


def configure(level: str) -> None:
    """Log from `level` on. Libraries are heard from when they warn, or when everything is wanted."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(_FORMAT, "%Y-%m-%d %H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(
            logging.DEBUG if level == "debug" else max(logging.WARNING, logging.root.level)
        )
