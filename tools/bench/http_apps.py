"""Three servers that do the same work over the same scripted engine: Trueline, bare Starlette without validation, FastAPI with pydantic;
and one that does none.

Owns the applications and the process that serves one of them: `python -m tools.bench.http_apps NAME MODELS_DIR PORT`. Must not know how
they are measured. Each answers `GET /v1/models` and `POST /v1/chat/completions` by Trueline's own thin functions.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import uuid4

import fastapi
import orjson
import uvicorn
import uvloop
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from engine import (
    ChoiceFinished,
    Engine,
    EngineConfig,
    Finished,
    Generation,
    GenerationRequest,
    TextDelta,
    Timings,
    Usage,
)
from engine.events import Event
from handlers import logs
from handlers.app import create_app
from handlers.config import ServerConfig
from handlers.context import Call, RequestRecord
from handlers.openai.chat_completions import create_chat_completion
from handlers.openai.models import list_models
from handlers.security import ApiKeys
from handlers.streaming import json_response

Endpoint = Callable[[Request], Awaitable[Response]]

_CONFIG = ServerConfig.model_validate({"log_level": "warning"})
_ANSWER: tuple[Event, ...] = (
    TextDelta(index=0, text="A scripted answer, long enough to be one."),
    ChoiceFinished(index=0, finish_reason="stop", completion_tokens=9),
    Finished(usage=Usage(prompt_tokens=200, completion_tokens=9), timings=Timings()),
)


class ScriptedEngine(Engine):
    """The real catalogue, but every generation is the same answer at once."""

    async def generate(self, request: GenerationRequest, *, await_place: bool = True) -> Generation:
        """The answer; no worker is started."""
        return Generation(_Script(), prompt_tokens=200, load_ns=0)


class _Script:
    def __init__(self) -> None:
        self._events = iter(_ANSWER)

    async def next_event(self) -> Event | None:
        """The next line of the script."""
        return next(self._events, None)

    def close(self) -> None:
        """Nothing to give back."""


def _call(engine: Engine, request: Request, body: Any) -> Call[Any]:
    """What Trueline's thin functions get, without any check."""
    record = RequestRecord(f"req_{uuid4().hex}", request.method, request.url.path)
    return Call(body, {}, {}, engine, _CONFIG, record, request.receive)


def trueline(engine: Engine) -> ASGIApp:
    """The server itself."""
    return create_app(_CONFIG, engine, ApiKeys([]))


def starlette(engine: Engine) -> ASGIApp:
    """The work alone."""

    async def models(request: Request) -> Response:
        return await list_models(_call(engine, request, None))

    async def chat(request: Request) -> Response:
        body = orjson.loads(await request.body())
        return await create_chat_completion(_call(engine, request, body))

    return _application(models, chat)


def _application(models: Endpoint, chat: Endpoint) -> ASGIApp:
    return Starlette(routes=[Route("/v1/models", models), Route("/v1/chat/completions", chat, methods=["POST"])])


class _Text(BaseModel):
    type: Literal["text"]
    text: str


class _ImageUrl(BaseModel):
    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class _Image(BaseModel):
    type: Literal["image_url"]
    image_url: _ImageUrl


class _Function(BaseModel):
    name: str
    arguments: str


class _ToolCall(BaseModel):
    id: str
    type: Literal["function"]
    function: _Function


class _System(BaseModel):
    role: Literal["system", "developer"]
    content: str | list[_Text]
    name: str | None = None


class _User(BaseModel):
    role: Literal["user"]
    content: str | list[Annotated[_Text | _Image, Field(discriminator="type")]]
    name: str | None = None


class _Assistant(BaseModel):
    role: Literal["assistant"]
    content: str | list[_Text] | None = None
    name: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Tool(BaseModel):
    role: Literal["tool"]
    content: str | list[_Text]
    tool_call_id: str


class _ChatRequest(BaseModel):
    model: str
    messages: Annotated[
        list[Annotated[_System | _User | _Assistant | _Tool, Field(discriminator="role")]], Field(min_length=1)
    ]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    stop: str | Annotated[list[str], Field(min_length=1, max_length=4)] | None = None
    seed: int | None = None
    stream: bool | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    logit_bias: dict[str, int] | None = None
    user: str | None = None


def fastapi_pydantic(engine: Engine) -> ASGIApp:
    """What many servers are: models validate, and the handler gets plain values from them."""
    app = fastapi.FastAPI()

    async def models(request: Request) -> Response:
        return await list_models(_call(engine, request, None))

    async def chat(body: _ChatRequest, request: Request) -> Response:
        return await create_chat_completion(_call(engine, request, body.model_dump(exclude_unset=True)))

    app.add_api_route("/v1/models", models)
    app.add_api_route("/v1/chat/completions", chat, methods=["POST"])
    return app


def instant(engine: Engine) -> ASGIApp:
    """Streams as many pieces as are asked for, as fast as they can be written: shows how much the load generator can take."""

    async def models(request: Request) -> Response:
        return json_response({"data": [{"id": "instant"}]})

    async def chat(request: Request) -> Response:
        body = orjson.loads(await request.body())
        words = sum(len(message["content"].split()) for message in body["messages"])
        usage = {
            "prompt_tokens": words,
            "completion_tokens": body["max_tokens"],
            "total_tokens": words + body["max_tokens"],
        }
        if not body["stream"]:
            return json_response({"choices": [], "usage": usage})
        return StreamingResponse(_pieces(body["max_tokens"], usage), media_type="text/event-stream")

    return _application(models, chat)


async def _pieces(count: int, usage: dict[str, int]) -> AsyncIterator[bytes]:
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "instant", "choices": []}
    choice = {"index": 0, "delta": {"content": " word"}, "finish_reason": None, "logprobs": None}
    piece = b"data: " + orjson.dumps(chunk | {"choices": [choice]}) + b"\n\n"
    for _ in range(count):
        yield piece
    yield b"data: " + orjson.dumps(chunk | {"usage": usage}) + b"\n\ndata: [DONE]\n\n"


APPLICATIONS: dict[str, Callable[[Engine], ASGIApp]] = {
    "starlette": starlette,
    "trueline": trueline,
    "fastapi": fastapi_pydantic,
    "instant": instant,
}


async def _serve(name: str, models_dir: Path, port: int) -> None:
    engine = ScriptedEngine(EngineConfig(models=((None, models_dir),), preload=()))
    await engine.start()
    config = uvicorn.Config(
        APPLICATIONS[name](engine), port=port, http="httptools", access_log=False, log_level="warning", lifespan="off"
    )
    await uvicorn.Server(config).serve()
    await engine.aclose()


def main() -> None:
    """Serve until interrupted."""
    name, models_dir, port = sys.argv[1:]
    logs.configure("error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(name, Path(models_dir), int(port)))


if __name__ == "__main__":
    main()
