"""Calls one after the other, each behind a mark of its own, up to the mark that ends them all: what several forms have in common.

Must not know any form.
"""

from collections.abc import Callable

from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading


def read_section(
    answer: Answer, call_begin: str, end: str, read_call: Callable[[Answer], Reading[None]]
) -> Reading[None]:
    """Reads calls with white space around them, each by `read_call` from just behind `call_begin`, then `end`, which the text's end may cut
    off."""
    source = answer.source
    yield from source.white_space()
    yield from source.expect(call_begin)
    while True:
        yield from read_call(answer)
        yield from source.white_space()
        if (yield from source.accept(call_begin)) is None:
            break
    yield from source.expect_or_end(end)
