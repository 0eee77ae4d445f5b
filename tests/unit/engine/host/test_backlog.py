"""How many bytes may wait."""

from engine.host.backlog import Backlog


def test_it_takes_what_fits_and_has_room_again_when_that_is_released_once_or_more():
    backlog = Backlog(10)
    first, second = backlog.hold(6), backlog.hold(4)
    assert backlog.hold(1) is None
    first.release()
    first.release()
    assert repr(backlog) == "<Backlog 4 of 10 bytes>"
    assert backlog.hold(6) is not None
    second.release()
    assert backlog.held_bytes == 6


def test_whoever_is_alone_waits_whatever_its_size():
    backlog = Backlog(10)
    assert backlog.hold(50) is not None
    assert backlog.hold(1) is None
