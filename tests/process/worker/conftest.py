"""One loaded model for all tests of this folder."""

import pytest

from tests.process.worker.inprocess import InProcess, load


@pytest.fixture(scope="session")
def shared_worker():
    with load() as worker:
        yield worker


@pytest.fixture
def model(shared_worker):
    """The loaded model, with nothing cached."""
    in_process = InProcess(shared_worker)
    in_process.generator.forget_cached_prefixes()
    return in_process
