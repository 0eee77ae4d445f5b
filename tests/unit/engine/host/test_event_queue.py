"""What lies between a worker and a slow reader: nothing lost, nothing reordered within an answer, bounded."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.events import (
    Alternative,
    ChoiceFinished,
    Failed,
    Finished,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallDelta,
    Usage,
)
from engine.host import event_queue
from engine.host.event_queue import EventQueue

END = Finished(usage=Usage(), timings=Timings())


def text(piece, index=0, **fields):
    return TextDelta(index=index, text=piece, **fields)


def call(arguments, call_index=0, **fields):
    return ToolCallDelta(index=0, call_index=call_index, arguments=arguments, **fields)


async def drain(queue):
    """Everything that lies unread; ends at Finished or a failure."""
    events = []
    try:
        while not events or events[-1] != END:
            events.append(await queue.get())
    except EngineError as error:
        events.append(error.code)
    return events


def filled(*events):
    queue = EventQueue()
    for event in events:
        assert queue.put(event)
    return queue


async def test_pieces_of_one_answer_are_joined_while_unread():
    assert await drain(filled(text("a"), text("b"), END)) == [text("ab"), END]


async def test_pieces_of_several_answers_are_joined_each():
    events = (text("a"), text("x", 1), text("b"), text("y", 1), END)
    assert await drain(filled(*events)) == [text("ab"), text("xy", 1), END]


async def test_the_echo_stays_apart_from_the_answer():
    events = (text("p", echo=True), text("q", echo=True), text("a"), END)
    assert await drain(filled(*events)) == [text("pq", echo=True), text("a"), END]


async def test_arguments_are_joined_but_each_call_begins_its_own_event():
    events = (call("", id="1", name="f"), call("{"), call("}"), call("", 1, id="2", name="g"), call("{}", 1), END)
    assert await drain(filled(*events)) == [call("{}", id="1", name="f"), call("{}", 1, id="2", name="g"), END]


async def test_text_after_a_call_is_not_moved_before_it():
    events = (text("a"), call("x"), text("b"), call("y"), END)
    assert await drain(filled(*events)) == list(events)


async def test_logprobs_are_joined_with_their_text():
    first, second = (TokenLogprob(token_id=number, bytes=b"x", logprob=-1.0) for number in (1, 2))
    queue = filled(text("a", logprobs=(first,)), text("b", logprobs=(second,)), END)
    assert (await queue.get()).logprobs == (first, second)


async def test_a_choice_ends_after_its_text():
    end = ChoiceFinished(index=0, finish_reason="stop", completion_tokens=2)
    assert await drain(filled(text("a"), text("b"), end, END)) == [text("ab"), end, END]


async def test_a_failure_comes_after_what_was_unread_and_nothing_comes_after_it():
    queue = filled(text("a"), Failed(code="internal", message="m"), text("b"))
    queue.fail(EngineError("worker_died", "later"))
    assert await drain(queue) == [text("a"), "internal"]


async def test_a_waiting_reader_is_woken_by_event_failure_and_close():
    for wake, expected in (
        (lambda queue: queue.put(END), END),
        (lambda queue: queue.close(), None),
    ):
        queue = EventQueue()
        reader = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        wake(queue)
        assert await reader == expected
    queue = EventQueue()
    reader = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.fail(EngineError("worker_died", "m"))
    with pytest.raises(EngineError):
        await reader


async def test_each_reader_gets_its_own_exception():
    error = EngineError("worker_died", "m")
    queue = EventQueue()
    queue.fail(error)
    with pytest.raises(EngineError) as caught:
        await queue.get()
    assert caught.value is not error


async def test_unread_text_occupies_little_more_than_itself():
    queue = EventQueue()
    assert all(queue.put(text("x" * 10)) for _ in range(200_000))
    assert queue._unread_bytes < 200_000 * 10 + 64 * 1000
    assert await queue.get() == text("x" * 2_000_000)
    assert queue._unread_bytes == 0


async def test_too_much_unread_fails_the_request_and_says_so(monkeypatch):
    monkeypatch.setattr(event_queue, "MAX_UNREAD_BYTES", 100_000)
    top = tuple(Alternative(token_id=number, bytes=b"x", logprob=-1.0) for number in range(20))
    entry = TokenLogprob(token_id=1, bytes=b"x", logprob=-1.0, top=top)
    queue = EventQueue()
    taken = [queue.put(text("x", logprobs=(entry,))) for _ in range(100)]
    assert taken.index(False) < 30
    assert all(taken[taken.index(False) + 1 :])
    assert (await drain(queue))[-1] == "overloaded"


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["text", "echo", "call0", "call1"]), st.text(max_size=3))))
def test_however_it_is_read_each_answer_says_the_same(pieces):
    events = [
        call(piece, int(kind[-1])) if kind.startswith("call") else text(piece, index, echo=kind == "echo")
        for index, kind, piece in pieces
    ]

    def answers(sequence):
        said = {}
        for event in sequence:
            if isinstance(event, TextDelta):
                key, piece = (event.index, "echo" if event.echo else "text"), event.text
            else:
                key, piece = (event.index, f"call{event.call_index}"), event.arguments
            said[key] = said.get(key, "") + piece
        return said

    received = asyncio.run(drain(filled(*events, END)))
    assert answers(received[:-1]) == answers(events)
