"""After more requests than it can take, of every kind, a server has lost nothing. `make soak` does this for half an hour."""

import pytest

from tools.soak.__main__ import soak


@pytest.mark.timeout(180)
def test_a_short_soak_loses_nothing() -> None:
    result = soak(seconds=20, seed=1)
    assert result.faults == []
    assert len({kind for kind, _ in result.counts}) >= 10
    assert any(outcome == "hung up" for _, outcome in result.counts)
