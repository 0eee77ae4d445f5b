"""Which projector goes with which model, by name and place; and what the catalogue makes of it."""

import logging
from pathlib import Path

import gguf
import pytest

from engine.config import LoadParams
from engine.errors import CatalogError
from engine.host import catalog as catalog_module
from engine.host import projectors
from engine.host.catalog import Catalog
from engine.host.projectors import neighbours_in, read_projector
from tests.gguf_bytes import write_model
from tools.bench_model.projectors import PROJECTORS, write_projector


@pytest.fixture(autouse=True)
def always_due(monkeypatch):
    """Look at the disk on every call, not once a second."""
    monkeypatch.setattr(catalog_module, "_RESCAN_SECONDS", 0.0)
    monkeypatch.setattr(catalog_module, "_RESCAN_SHARE", 1e9)


def projector(path, name="vision"):
    write_projector(path, PROJECTORS[name], model_width=64)
    return path


def beside(model):
    return projectors.beside(model, neighbours_in(model.parent))


def touched(directory, *names):
    for name in names:
        (directory / name).touch()


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("SmolVLM-256M-Instruct-Q8_0.gguf", "mmproj-SmolVLM-256M-Instruct-Q8_0.gguf"),
        ("SmolVLM-256M-Instruct-Q8_0.gguf", "mmproj-SmolVLM-256M-Instruct-f16.gguf"),
        ("Qwen2.5-VL-7B-Instruct-Q4_K_M.gguf", "Qwen2.5-VL-7B-Instruct-mmproj-f16.gguf"),
        ("big-Q4_0-00001-of-00002.gguf", "mmproj-BF16.gguf"),
        ("model.gguf", "mmproj-model-f16.gguf"),
        ("model.gguf", "mmproj.gguf"),
    ],
)
def test_a_projector_goes_with_the_model_that_it_is_named_for_or_lies_alone_with(tmp_path, model, name):
    touched(tmp_path, model, name, "notes.txt")
    if "-of-" in model:
        touched(tmp_path, model.replace("00001-of", "00002-of"))
    assert beside(tmp_path / model) == tmp_path / name


def test_among_several_models_only_a_projector_with_the_models_name_goes_with_it(tmp_path):
    touched(tmp_path, "a-Q4_0.gguf", "ab-Q4_0.gguf", "mmproj-F16.gguf", "mmproj-a-F16.gguf")
    assert beside(tmp_path / "a-Q4_0.gguf") == tmp_path / "mmproj-a-F16.gguf"
    assert beside(tmp_path / "ab-Q4_0.gguf") is None


def test_of_several_the_one_of_half_precision_is_taken(tmp_path):
    touched(tmp_path, "m.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf")
    assert beside(tmp_path / "m.gguf") == tmp_path / "mmproj-F16.gguf"


def test_without_any_there_is_none(tmp_path):
    touched(tmp_path, "m.gguf")
    assert beside(tmp_path / "m.gguf") is None
    assert beside(tmp_path / "nowhere" / "m.gguf") is None


@pytest.mark.parametrize(
    ("name", "sees", "hears"), [("vision", True, False), ("audio", False, True), ("omni", True, True)]
)
def test_a_projectors_file_says_what_it_takes(tmp_path, name, sees, hears):
    found = read_projector(projector(tmp_path / "mmproj.gguf", name))
    assert (found.sees, found.hears) == (sees, hears)


def scanned(*sources, load=None):
    catalog = Catalog(tuple((None, source) for source in sources), lambda _: load or LoadParams())
    catalog.scan()
    return catalog


def test_a_model_with_a_projector_can_see(tmp_path):
    write_model(tmp_path / "m.gguf")
    path = projector(tmp_path / "mmproj.gguf", "omni")
    (entry,) = scanned(tmp_path).models()
    assert entry.projector is not None
    assert entry.projector.path == path
    assert {"vision", "audio"} <= set(entry.metadata.capabilities)


def test_a_projector_that_comes_and_goes_changes_the_entry(tmp_path):
    write_model(tmp_path / "m.gguf")
    catalog = scanned(tmp_path)
    (blind,) = catalog.models()
    path = projector(tmp_path / "mmproj.gguf")
    (seeing,) = catalog.models()
    assert seeing != blind
    assert catalog.find("m") == seeing
    path.unlink()
    assert catalog.find("m") == blind
    assert "vision" not in catalog.find("m").metadata.capabilities


def test_a_setting_names_the_projector_or_switches_it_off(tmp_path):
    model = write_model(tmp_path / "models" / "m.gguf")
    projector(tmp_path / "models" / "mmproj.gguf")
    other = projector(tmp_path / "other.gguf", "audio")
    (named,) = scanned(model, load=LoadParams(projector=str(other))).models()
    assert named.projector.path == other
    (off,) = scanned(model, load=LoadParams(finds_projector=False)).models()
    assert off.projector is None


def test_a_named_projector_that_is_none_is_an_error(tmp_path):
    model = write_model(tmp_path / "m.gguf")
    for path in (model, tmp_path / "missing.gguf"):
        with pytest.raises(CatalogError, match=r"not a projector|No such file"):
            scanned(model, load=LoadParams(projector=str(path)))


def test_a_broken_projector_beside_a_model_is_said_and_left(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    write_model(tmp_path / "m.gguf")
    (tmp_path / "mmproj.gguf").write_bytes(b"broken")
    (entry,) = scanned(tmp_path).models()
    assert entry.projector is None
    assert "mmproj.gguf" in caplog.text


def test_a_projector_is_no_model(tmp_path):
    projector(tmp_path / "m-mmproj-f16.gguf")
    assert scanned(tmp_path).models() == []


def test_the_tool_writes_what_the_reference_reads(tmp_path):
    reader = gguf.GGUFReader(projector(tmp_path / "mmproj.gguf"))
    assert reader.fields["general.architecture"].contents() == "clip"


@pytest.mark.parametrize(
    ("model", "there", "name"),
    [
        ("gemma-3-4b-it-Q4_K_M.gguf", "mmproj-F16.gguf", "mmproj-gemma-3-4b-it-F16.gguf"),
        ("gemma-3-4b-it-Q4_K_M.gguf", "mmproj-model-f32.gguf", "mmproj-gemma-3-4b-it-F32.gguf"),
        ("big-Q8_0-00001-of-00002.gguf", "mmproj.gguf", "mmproj-big.gguf"),
        ("gemma-3-4b-it-Q4_K_M.gguf", "mmproj-gemma-3-4b-it-f16.gguf", "mmproj-gemma-3-4b-it-f16.gguf"),
        ("gemma-3-4b-it-Q4_K_M.gguf", "mmproj-its-own-name.gguf", "mmproj-gemma-3-4b-it.gguf"),
    ],
)
def test_a_fetched_projector_gets_a_name_that_is_found_beside_any_other_model(tmp_path, model, there, name):
    assert projectors.projector_for(Path(model), [Path(there)]) == Path(there)
    assert projectors.projector_name(Path(model), Path(there)) == name
    touched(tmp_path, model, name, "other-Q4_0.gguf", "mmproj-other.gguf")
    assert beside(tmp_path / model) == tmp_path / name


def test_of_several_projectors_in_a_repository_the_one_named_for_the_model_is_taken_or_none():
    there = [Path("mmproj-small-F16.gguf"), Path("mmproj-large-BF16.gguf"), Path("mmproj-large-F16.gguf")]
    assert projectors.projector_for(Path("large-Q4_K_M.gguf"), there) == there[2]
    assert projectors.projector_for(Path("huge-Q4_K_M.gguf"), there) is None
