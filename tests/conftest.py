"""What every kind of test shares: the live server on the bundled model, and the fuzzing depth."""

from pathlib import Path

import pytest

from tests.launch import DEMO_MODEL, serving


def pytest_addoption(parser):
    parser.addoption(
        "--fuzz-examples", type=int, default=0, help="requests to try for each operation; 0: the short run"
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The real server with the bundled model; it validates every response against the documents."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def model():
    """The bundled model's name."""
    return DEMO_MODEL


@pytest.fixture(scope="session")
def demo_model_path():
    """The bundled model's file."""
    return Path(__file__).parents[1] / "engine" / "bundled" / f"{DEMO_MODEL}.gguf"
