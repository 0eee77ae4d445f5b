"""A worker without a model: it speaks the real frames from a real process and does what each request's text says.

`scripted_worker.py LOAD FD`: LOAD is a JSON object that says how loading goes: `delay_seconds`, `fail` (message), `kill`
(signal), `exit` (code), `garbage`, `hang`, `log` (printed). A generation's prompt is a JSON list of steps, each a list of
a name and arguments (see `Script`). Tokenizing answers the ids of open requests, detokenizing says what was cancelled.
"""

import asyncio
import json
import os
import socket
import sys
from pathlib import Path

import msgspec

from engine.activity import WorkerActivity
from engine.config import LoadParams
from engine.events import (
    Admitted,
    ApplyTemplateResult,
    ChoiceFinished,
    DetokenizeResult,
    EmbeddingResult,
    Event,
    Failed,
    Finished,
    Preparing,
    Started,
    TextDelta,
    Timings,
    TokenizeResult,
    ToolCallDelta,
    Usage,
)
from engine.protocol import (
    Cancel,
    Events,
    FrameReader,
    Load,
    LoadedModel,
    LoadFailed,
    Ping,
    Pong,
    Ready,
    Submit,
    decode_to_worker,
    encode,
)
from engine.request import (
    ApplyTemplateRequest,
    ChatPrompt,
    DetokenizeRequest,
    EmbeddingRequest,
    GenerationRequest,
    TokenizeRequest,
)

MODEL = LoadedModel(
    ctx_size_tokens=512,
    input_limit_tokens=512,
    embedding_length=4,
    vocabulary_size=256,
    capabilities=("completion", "embedding"),
    chat_template=None,
    size_bytes=1000,
    gpu_bytes=0,
    gpu_layers=0,
)


class Script:
    """The steps of one generation."""

    def __init__(self, worker: "ScriptedWorker", request_id: int) -> None:
        self.worker = worker
        self.id = request_id
        self.tokens = 0

    async def run(self, steps: list[list]) -> None:
        for name, *arguments in steps:
            step = getattr(self, f"step_{name}")(*arguments)
            if asyncio.iscoroutine(step):
                await step

    def send(self, event: Event) -> None:
        self.worker.send_event(self.id, event)

    def step_started(self, prompt_tokens: int = 1) -> None:
        self.send(Started(prompt_tokens=prompt_tokens))
        self.send(Admitted())

    def step_preparing(self) -> None:
        self.send(Preparing())

    def step_queued(self) -> None:
        self.send(Started(prompt_tokens=1))

    def step_text(self, text: str, index: int = 0, times: int = 1) -> None:
        for _ in range(times):
            self.tokens += 1
            self.send(TextDelta(index=index, text=text))

    def step_echo(self, text: str) -> None:
        self.send(TextDelta(index=0, text=text, echo=True))

    def step_tool(
        self, arguments: str, call_index: int = 0, call_id: str | None = None, name: str | None = None
    ) -> None:
        self.send(ToolCallDelta(index=0, call_index=call_index, id=call_id, name=name, arguments=arguments))

    def step_choice(self, reason: str = "stop", index: int = 0) -> None:
        self.send(ChoiceFinished(index=index, finish_reason=reason, completion_tokens=self.tokens))

    def step_finish(self) -> None:
        usage = Usage(prompt_tokens=1, completion_tokens=self.tokens)
        self.send(Finished(usage=usage, timings=Timings(prompt_ns=1, generation_ns=2, total_ns=3)))

    def step_fail(self, code: str, message: str) -> None:
        self.send(Failed(code=code, message=message))

    async def step_sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def step_hang(self) -> None:
        await asyncio.Event().wait()

    async def step_until(self, path: str) -> None:
        while not Path(path).exists():
            await asyncio.sleep(0.01)

    def step_kill(self, signal_number: int) -> None:
        os.kill(os.getpid(), signal_number)

    def step_exit(self, code: int) -> None:
        os._exit(code)

    def step_garbage(self) -> None:
        self.worker.write(b"\x05\x00\x00\x00\xc1\xc1\xc1\xc1\xc1")

    def step_huge_frame(self) -> None:
        self.worker.write(b"\xff\xff\xff\xff")

    def step_print(self, text: str) -> None:
        print(text, flush=True)


class ScriptedWorker:
    """Reads frames and runs a task for each request."""

    def __init__(self, load: dict, writer: asyncio.StreamWriter) -> None:
        self.load = load
        self.writer = writer
        self.tasks: dict[int, asyncio.Task] = {}
        self.cancelled: list[int] = []

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def send_event(self, request_id: int, event: Event) -> None:
        self.write(encode(Events(events=((request_id, event),))))

    async def receive(self, frame: Load | Submit | Cancel | Ping) -> None:
        if isinstance(frame, Load):
            await self.answer_load(frame.params)
        elif isinstance(frame, Ping):
            activity = WorkerActivity(running=len(self.tasks)) if frame.detailed else None
            self.write(encode(Pong(step_age_seconds=self.load.get("step_age_seconds", 0), activity=activity)))
        elif isinstance(frame, Submit):
            task = asyncio.create_task(self.answer(frame))
            self.tasks[frame.id] = task
            task.add_done_callback(lambda _: self.tasks.pop(frame.id, None))
        elif task := self.tasks.pop(frame.id, None):
            self.cancelled.append(frame.id)
            task.cancel()

    async def answer_load(self, params: LoadParams) -> None:
        print(self.load.get("log", "loading"), flush=True)
        await asyncio.sleep(self.load.get("delay_seconds", 0))
        script = Script(self, 0)
        wanted = max(params.least_ctx_tokens, params.least_input_tokens)
        if "fail" in self.load or wanted > self.load.get("fail_above_tokens", wanted):
            self.write(encode(LoadFailed(message=self.load.get("fail", "no memory"))))
            return
        for name, arguments in self.load.items():
            if name in {"kill", "exit"}:
                await script.run([[name, arguments]])
            elif name in {"garbage", "hang"}:
                await script.run([[name]])
        model = msgspec.structs.replace(
            MODEL,
            ctx_size_tokens=max(MODEL.ctx_size_tokens, params.least_ctx_tokens),
            input_limit_tokens=min(1024, max(MODEL.input_limit_tokens, params.least_input_tokens)),
        )
        self.write(encode(Ready(model=model)))

    async def answer(self, submit: Submit) -> None:
        request = submit.request
        if isinstance(request, GenerationRequest):
            prompt = request.prompt
            text = prompt.messages[0]["content"] if isinstance(prompt, ChatPrompt) else prompt.text
            await Script(self, submit.id).run(json.loads(text))
        elif isinstance(request, EmbeddingRequest) and "wait" in request.inputs:
            await asyncio.Event().wait()
        elif isinstance(request, EmbeddingRequest):
            vectors = tuple(bytes(16) for _ in request.inputs)
            self.send_event(submit.id, EmbeddingResult(vectors=vectors, usage=Usage(), timings=Timings(total_ns=5)))
        elif isinstance(request, TokenizeRequest):
            others = tuple(sorted(self.tasks.keys() - {submit.id}))
            self.send_event(submit.id, TokenizeResult(tokens=others))
        elif isinstance(request, DetokenizeRequest):
            self.send_event(submit.id, DetokenizeResult(text=json.dumps(self.cancelled)))
        elif isinstance(request, ApplyTemplateRequest):
            self.send_event(submit.id, ApplyTemplateResult(prompt=str(os.getpid())))


async def main(load: dict, descriptor: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    worker = ScriptedWorker(load, writer)
    frames = FrameReader()
    while data := await reader.read(1 << 16):
        for body in frames.feed(data):
            await worker.receive(decode_to_worker(body))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1]), int(sys.argv[2])))
