"""The composition root: settings and an engine in, the whole ASGI application out.

Owns the order of what is around the contract. Must not know any operation.
"""

from __future__ import annotations

from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from engine import BUNDLED_MODEL, Alias, Engine, EngineConfig
from handlers.access import Access
from handlers.boundary import ErrorBoundary
from handlers.config import ServerConfig
from handlers.contract.application import contract_application
from handlers.cors import cors
from handlers.model_settings import load_params
from handlers.security import ApiKeys, Guard
from handlers.server.docs import page_file


def create_app(config: ServerConfig, engine: Engine, keys: ApiKeys) -> ASGIApp:
    """The server's application. Raises where the documents and the code disagree; starts nothing."""
    app: ASGIApp = PageFiles(contract_application(engine, config))
    app = ErrorBoundary(Guard(app, config, keys))
    return Access(cors(app, config.cors_origin))


def engine_config(config: ServerConfig) -> EngineConfig:
    """The engine's part of the settings. Without any model, the bundled demonstration model is served."""
    models = [_named_model(text) for text in config.model]
    models.extend((name, table.file) for name, table in config.models.items() if table.file is not None)
    if config.models_dir is not None:
        models.append((None, config.models_dir))
    return EngineConfig(
        models=tuple(models) or ((None, BUNDLED_MODEL),),
        load=load_params(config),
        own_loads={name: load_params(table) for name, table in config.models.items()},
        aliases={each.name: Alias(model=each.model, lora=each.lora) for each in config.alias},
        on_demand=tuple(name for name, table in config.models.items() if not table.preload),
        keep_alive_seconds=config.keep_alive,
        max_loaded_models=config.max_loaded_models,
        max_queue=config.max_queue,
        max_queue_bytes=config.max_queue_mib << 20,
        queue_timeout_seconds=config.queue_timeout,
        worker_silence_seconds=config.worker_silence_seconds,
        max_step_seconds=config.max_step_seconds,
        log_level=config.log_level,
        cache_dir=config.data_dir / "cache",
    )


def _named_model(text: str) -> tuple[str | None, Path]:
    """`NAME=FILE`, or a path; a path that exists is one even if it contains an equals sign."""
    path = Path(text).expanduser()
    name, equals, file = text.partition("=")
    if not equals or path.exists():
        return None, path
    return name, Path(file).expanduser()


class PageFiles:
    """Answers for the files that the documentation page loads. They are part of a page, not of an API."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the page's files; leave the rest to the application."""
        if scope["type"] == "http" and scope["path"].startswith("/docs/") and scope["method"] in ("GET", "HEAD"):
            known_tag = dict(scope["headers"]).get(b"if-none-match", b"").decode("latin-1")
            response = page_file(scope["path"], known_tag)
            if response is not None:
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)
