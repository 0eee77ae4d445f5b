"""One loaded model for all tests of this folder, and files of models that see and hear."""

import pytest

from tests.process.worker.inprocess import InProcess, load
from tests.process.worker.seeing import SEEING, load_seeing
from tools.bench_model.projectors import PROJECTORS, write_projector
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model


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


@pytest.fixture(scope="session")
def media_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("media")
    for kind in sorted(set(SEEING.values())):
        write_model(directory / f"{kind}.gguf", PRESETS[kind], name=kind)
    for name, projector in PROJECTORS.items():
        write_projector(directory / f"mmproj-{name}.gguf", projector, model_width=64)
    return directory


@pytest.fixture(scope="module")
def omni(media_files):
    """A model that sees and hears."""
    with load_seeing(media_files, "omni") as worker:
        yield InProcess(worker)
