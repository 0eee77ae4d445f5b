"""Many requests at once: company changes no answer, streams keep flowing, and cancelling anywhere leaves nothing behind."""

import asyncio
import random
import time

import httpx
import pytest

from tests.live.clients import ask

QUESTIONS = [
    "What is 2 + 3?",
    "Hello!",
    "What is the capital of France?",
    "Who are you?",
    "What is 7 - 4?",
    "Thank you!",
]


@pytest.fixture
async def client(server):
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
        yield client


async def answer(client, model, question, **parameters):
    """The greedy answer to one question."""
    body = {"model": model, "messages": ask(question), "temperature": 0, "max_completion_tokens": 40} | parameters
    response = await client.post("/v1/chat/completions", json=body)
    return response.raise_for_status().json()["choices"][0]["message"]["content"]


async def test_greedy_answers_are_the_same_alone_and_in_company(client, model):
    alone = [await answer(client, model, question) for question in QUESTIONS]
    together = await asyncio.gather(*(answer(client, model, question) for question in QUESTIONS * 4))
    assert together == alone * 4


async def test_more_requests_than_slots_all_finish(client, model):
    answers = await asyncio.gather(*(answer(client, model, f"What is {i} + 1?") for i in range(40)))
    assert all(answers)


async def test_a_running_stream_flows_while_a_long_prompt_comes_in(client, model):
    body = {"model": model, "prompt": "1", "stream": True, "max_tokens": 300, "ignore_eos": True}
    long_prompt = {"model": model, "prompt": "two words " * 300, "max_tokens": 1}
    gaps_seconds = []
    async with client.stream("POST", "/v1/completions", json=body) as response:
        lines = response.aiter_lines()
        await anext(lines)
        intruder = asyncio.create_task(client.post("/v1/completions", json=long_prompt))
        last = time.monotonic()
        async for _ in lines:
            gaps_seconds.append(time.monotonic() - last)
            last = time.monotonic()
        (await intruder).raise_for_status()
    assert max(gaps_seconds) < 2


async def test_clients_that_leave_at_any_moment_leave_a_server_that_answers_as_before(client, server, model):
    before = await answer(client, model, QUESTIONS[0])
    moments = random.Random(7)

    async def leave(index):
        body = {"model": model, "messages": ask(f"Question {index}"), "max_completion_tokens": 400, "ignore_eos": True}
        request = client.post("/v1/chat/completions", json=body | {"stream": index % 2 == 0, "n": 1 + index % 3})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(request, moments.uniform(0.001, 0.15))

    await asyncio.gather(*(leave(index) for index in range(30)))
    assert await answer(client, model, QUESTIONS[0]) == before
    assert len(server.workers()) == 1


async def test_a_chat_of_ten_thousand_messages_holds_up_no_stream(client, model):
    body = {"model": model, "prompt": "1", "stream": True, "max_tokens": 400, "ignore_eos": True}
    messages = [{"role": ("user", "assistant")[index % 2], "content": "Hello, how are you?"} for index in range(9_999)]
    gaps_seconds = []
    async with client.stream("POST", "/v1/completions", json=body) as response:
        lines = response.aiter_lines()
        await anext(lines)
        intruder = asyncio.create_task(client.post("/v1/chat/completions", json={"model": model, "messages": messages}))
        last = time.monotonic()
        async for _ in lines:
            gaps_seconds.append(time.monotonic() - last)
            last = time.monotonic()
        assert (await intruder).status_code == 400
    assert max(gaps_seconds) < 2
