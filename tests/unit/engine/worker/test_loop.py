"""The loop tells the host of its end at once, and of tokens while others are drawn."""

import socket
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest

from engine.errors import EngineError
from engine.events import Admitted, Preparing
from engine.protocol import FrameReader, Ping, Submit, decode_to_host, encode
from engine.request import ChatPrompt, GenerationRequest, Media, TokenizeRequest
from engine.worker.loop import Loop
from engine.worker.tally import Tally


class Failing:
    """A generator that has work and fails at it, once `begun` is set."""

    def __init__(self, begun):
        self._begun = begun

    @property
    def is_idle(self):
        return not self._begun.is_set()

    def step(self):
        raise ZeroDivisionError("a fault of this program")


class Slow:
    """A preparer that keeps its thread until it is let go."""

    def preparation(self, request_id, request):
        yield
        self._begun.set()
        self._release.wait(timeout=30)
        raise EngineError("internal", "it was let go")

    def __init__(self, begun, release):
        self._begun = begun
        self._release = release

    def text_tokens(self, request):
        self._begun.set()
        self._release.wait(timeout=30)
        return []


def test_a_fault_in_a_step_closes_the_connection_while_a_request_is_still_being_prepared():
    host, end = socket.socketpair()
    begun, release = threading.Event(), threading.Event()
    worker = SimpleNamespace(generator=Failing(begun), embedder=None, preparer=Slow(begun, release), tally=Tally())
    loop = Loop(end, worker)

    def run():
        with pytest.raises(ZeroDivisionError):
            loop.run()

    thread = threading.Thread(target=run)
    with host, end:
        thread.start()
        host.sendall(encode(Submit(id=1, request=TokenizeRequest(model="m", text="a"))))
        begun.wait(timeout=10)
        with suppress(BrokenPipeError):  # it wakes the loop, if that had found nothing to do
            host.sendall(encode(Submit(id=2, request=TokenizeRequest(model="m", text="b"))))
        host.settimeout(10)
        assert host.recv(1) == b""
        release.set()
        thread.join(timeout=10)
    assert not thread.is_alive()


class Idle:
    """A generator without work."""

    is_idle = True


def test_an_encoding_that_hangs_shows_in_what_the_host_is_told_of_the_step():
    host, end = socket.socketpair()
    begun, release = threading.Event(), threading.Event()
    worker = SimpleNamespace(generator=Idle(), embedder=None, preparer=Slow(begun, release), tally=Tally())
    thread = threading.Thread(target=Loop(end, worker).run)
    prompt = ChatPrompt(messages=(), media=(Media(kind="image", content=b"", where="here"),))
    with host, end:
        thread.start()
        host.settimeout(10)
        host.sendall(encode(Ping()))
        before = answer(host)
        host.sendall(encode(Submit(id=1, request=GenerationRequest(model="m", prompt=prompt))))
        assert begun.wait(timeout=10)
        assert answer(host).events == ((1, Preparing()),)
        host.sendall(encode(Ping()))
        assert answer(host).step_age_seconds > 0 == before.step_age_seconds
        release.set()
        assert answer(host).events[0][1].message == "it was let go"
        host.sendall(encode(Ping()))
        assert answer(host).step_age_seconds == 0
        host.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
    assert not thread.is_alive()


def answer(host):
    """The next frame that the worker sends."""
    reader = FrameReader()
    while True:
        for body in reader.feed(host.recv(1 << 16)):
            return decode_to_host(body)


class Drawing:
    """A generator whose only step has drawn 20 tokens once the host has heard of the first; then there is nothing to do."""

    is_idle = False

    def __init__(self, heard):
        self._heard = heard

    def step(self):
        self.is_idle = True
        for number in range(20):
            if number == 19:
                assert self._heard.wait(timeout=10)
            yield 1, Admitted()


def test_tokens_are_sent_while_the_last_of_a_step_are_drawn():
    host, end = socket.socketpair()
    heard = threading.Event()
    loop = Loop(end, SimpleNamespace(generator=Drawing(heard), embedder=None, preparer=None, tally=Tally()))
    thread = threading.Thread(target=loop.run)
    with host, end:
        thread.start()
        host.settimeout(10)
        reader, events = FrameReader(), []
        while len(events) < 20:
            for body in reader.feed(host.recv(4096)):
                events.extend(decode_to_host(body).events)
            heard.set()
        host.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
    assert not thread.is_alive()
