"""What is read of an answer while it still arrives."""

from tools.bench.record import Record


def event(text: str) -> bytes:
    return b'data: {"choices": [{"delta": {"content": "' + text.encode() + b'"}}]}\n\n'


def test_what_arrives_after_a_first_reading_is_read_too():
    record = Record(started=0.0)
    arrivals = record.arrivals  # what a connection holds on to
    record.read()
    arrivals.append((1.0, event("a")))
    record.read()
    arrivals.append((2.0, event("b")))
    record.read()
    assert (record.piece_times, record.text) == ([1.0, 2.0], "ab")
