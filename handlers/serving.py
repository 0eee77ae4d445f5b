"""From settings to a running server and back to nothing: key check, socket, engine, application, listener, in that order.

Owns the process's life. Must not know requests.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable

from engine import CatalogError, Engine
from handlers import logs
from handlers.app import create_app, engine_config
from handlers.config import ConfigError, ServerConfig
from handlers.listener import Listener, PortUnavailable, bound_socket
from handlers.security import ApiKeys, read_keys, require_guard

Say = Callable[[str], None]


class CannotServe(Exception):
    """Something outside of the settings stands in the way. The text is one line."""


def run(config: ServerConfig, say: Say) -> None:
    """Serve until told to stop. Raises ConfigError or CannotServe where it cannot begin."""
    logs.configure(config.log_level)
    keys = read_keys(config)
    require_guard(config, keys)
    try:
        listening = bound_socket(config.host, config.port)
    except PortUnavailable as error:
        raise CannotServe(str(error)) from None
    with listening, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(config, keys, listening, say))


async def _serve(config: ServerConfig, keys: ApiKeys, listening: socket.socket, say: Say) -> None:
    try:
        engine = Engine(engine_config(config))
        await engine.start()
    except CatalogError as error:
        raise ConfigError(str(error)) from None
    try:
        listener = Listener(
            create_app(config, engine, keys),
            shutdown_timeout_seconds=config.shutdown_timeout_seconds,
            started=lambda: _announce(listening, engine, keys, say),
            end_requests=engine.aclose,
        )
        await listener.serve([listening])
    finally:
        await engine.aclose()


def _announce(listening: socket.socket, engine: Engine, keys: ApiKeys, say: Say) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    names = [entry.name for entry in engine.models()]
    say(f"Trueline listens on {url} ({'API keys needed' if keys else 'no API key needed'})")
    say(f"  models  {', '.join(names) or 'none yet'}")
    say(f"  OpenAI  {url}/v1")
    say(f"  Ollama  {url}/api")
    say(f"  docs    {url}/docs")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it exists."""
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not installed on Windows

    return uvloop.new_event_loop
