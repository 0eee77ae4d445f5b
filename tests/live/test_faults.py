"""Faults and departures: a worker killed in mid-stream, clients that leave, Ctrl-C with open streams."""

import asyncio
import json
import signal
import time

import httpx
import psutil
import pytest

from tests.launch import DEMO_MODEL, serving
from tests.live.clients import ask

ENDLESS_CHAT = {
    "model": DEMO_MODEL,
    "messages": ask("Hello!"),
    "stream": True,
    "max_completion_tokens": 4_000,
    "ignore_eos": True,
}
ENDLESS_OLLAMA = {
    "model": DEMO_MODEL,
    "prompt": "Hello!",
    "raw": True,
    "options": {"num_predict": -1, "ignore_eos": True},
}


@pytest.fixture
def own(tmp_path):
    """A server of this test's own, because it will be hurt."""
    with serving(tmp_path) as running:
        yield running


def events(lines):
    """The payloads of an event stream's lines, without the final [DONE]."""
    payloads = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(payload) for payload in payloads if payload != "[DONE]"]


def active_requests(server):
    """How many requests the worker is computing, judged by the processor time that it takes."""
    before = [worker.cpu_times().user for worker in server.workers()]
    time.sleep(0.3)
    after = [worker.cpu_times().user for worker in server.workers()]
    return sum(late - early > 0.1 for early, late in zip(before, after, strict=True))


def wait_until_idle(server, within_seconds):
    deadline = time.monotonic() + within_seconds
    while active_requests(server):
        assert time.monotonic() < deadline, "the worker goes on computing for nobody"


class TestAKilledWorker:
    def test_its_stream_ends_with_one_error_event_and_the_next_request_works(self, own):
        with httpx.stream("POST", f"{own.url}/v1/chat/completions", json=ENDLESS_CHAT, timeout=30) as response:
            lines = response.iter_lines()
            seen = [next(lines) for _ in range(6)]
            (worker,) = own.workers()
            worker.send_signal(signal.SIGKILL)
            received = events(seen + list(lines))
        errors = [event for event in received if "error" in event]
        assert errors == received[-1:]
        assert set(errors[0]["error"]) == {"message", "type", "param", "code"}
        answer = httpx.post(
            f"{own.url}/v1/completions", json={"model": DEMO_MODEL, "prompt": "1", "max_tokens": 1}, timeout=30
        )
        assert answer.status_code == 200, answer.text
        assert own.workers()[0].pid != worker.pid

    def test_its_response_fails_as_the_last_event_with_what_it_had_said(self, own):
        body = {"model": DEMO_MODEL, "input": "Hello!", "stream": True, "max_output_tokens": 4_000, "ignore_eos": True}
        with httpx.stream("POST", f"{own.url}/v1/responses", json=body, timeout=30) as response:
            lines = response.iter_lines()
            seen = [next(lines) for _ in range(30)]
            own.workers()[0].send_signal(signal.SIGKILL)
            received = events(seen + list(lines))
        assert [event["sequence_number"] for event in received] == list(range(len(received)))
        failed = received[-1]["response"]
        assert (received[-1]["type"], failed["status"]) == ("response.failed", "failed")
        assert failed["error"]["code"] == "server_error"
        said = "".join(event["delta"] for event in received if event["type"] == "response.output_text.delta")
        assert [item["content"][0]["text"] for item in failed["output"]] == [said]

    def test_its_ollama_stream_ends_with_one_error_line(self, own):
        with httpx.stream("POST", f"{own.url}/api/generate", json=ENDLESS_OLLAMA, timeout=30) as response:
            lines = response.iter_lines()
            seen = [next(lines) for _ in range(3)]
            own.workers()[0].send_signal(signal.SIGKILL)
            received = [json.loads(line) for line in seen + list(lines) if line]
        assert [set(line) for line in received if "error" in line] == [{"error"}]
        assert "error" in received[-1]
        assert not any(line.get("done") for line in received)

    async def test_every_waiting_request_fails_with_one_clear_error(self, own):
        body = ENDLESS_CHAT | {"stream": False}
        async with httpx.AsyncClient(base_url=own.url, timeout=60) as client:
            waiting = [asyncio.create_task(client.post("/v1/chat/completions", json=body)) for _ in range(3)]
            await asyncio.sleep(1)
            own.workers()[0].send_signal(signal.SIGKILL)
            answers = await asyncio.gather(*waiting)
        assert {answer.status_code for answer in answers} <= {500, 502, 503}
        assert all(answer.json()["error"]["message"] for answer in answers)


class TestAClientThatLeaves:
    def test_in_mid_stream_it_frees_the_worker(self, own):
        with httpx.stream("POST", f"{own.url}/v1/chat/completions", json=ENDLESS_CHAT, timeout=30) as response:
            next(response.iter_lines())
        wait_until_idle(own, 5)

    def test_while_waiting_it_frees_the_worker(self, own):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{own.url}/v1/chat/completions", json=ENDLESS_CHAT | {"stream": False}, timeout=0.5)
        wait_until_idle(own, 5)

    def test_on_ollamas_api_it_frees_the_worker(self, own):
        with httpx.stream("POST", f"{own.url}/api/generate", json=ENDLESS_OLLAMA, timeout=30) as response:
            next(response.iter_lines())
        wait_until_idle(own, 5)


class TestCtrlC:
    @pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
    def test_open_streams_end_with_an_error_and_no_process_is_left(self, own, sent):
        children = own.workers()
        with httpx.stream("POST", f"{own.url}/v1/chat/completions", json=ENDLESS_CHAT, timeout=30) as response:
            lines = response.iter_lines()
            next(lines)
            started = time.monotonic()
            own.process.send_signal(sent)
            try:
                received = events(lines)
                assert "error" in received[-1]
            except httpx.RemoteProtocolError:
                pytest.fail("the stream was cut instead of ended")
        assert own.process.wait(10) in {0, -sent, 128 + sent}
        assert time.monotonic() - started < 8
        assert psutil.wait_procs(children, timeout=5)[1] == []

    def test_a_server_killed_outright_leaves_no_worker_behind(self, own):
        children = own.workers()
        own.process.kill()
        own.process.wait()
        assert psutil.wait_procs(children, timeout=5)[1] == []
