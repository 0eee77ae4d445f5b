"""Which models the catalogue finds, under which names, and what it does when the disk changes."""

import logging
import os

import pytest

from engine.errors import CatalogError
from engine.host import catalog as catalog_module
from engine.host.catalog import Catalog
from tests.gguf_bytes import model, write_model


@pytest.fixture(autouse=True)
def always_due(monkeypatch):
    """Look at the disk on every call, not once a second."""
    monkeypatch.setattr(catalog_module, "_RESCAN_SECONDS", 0.0)
    monkeypatch.setattr(catalog_module, "_RESCAN_SHARE", 1e9)


def scanned(*sources):
    catalog = Catalog(tuple(source if isinstance(source, tuple) else (None, source) for source in sources))
    catalog.scan()
    return catalog


def names(catalog):
    return [entry.name for entry in catalog.models()]


def test_a_file_is_named_after_itself_or_as_told(tmp_path):
    path = write_model(tmp_path / "Qwen 2.5.gguf")
    assert names(scanned(path, ("alias", path))) == ["Qwen 2.5", "alias"]


def test_a_directory_serves_every_model_below_it_named_by_its_relative_path(tmp_path):
    for name in ("b.gguf", "a/c.GGUF", "a/b/d.gguf", "mmproj-model.gguf", "readme.txt"):
        write_model(tmp_path / name)
    assert names(scanned(tmp_path)) == ["a/b/d", "a/c", "b"]


def test_an_entry_knows_its_file(tmp_path):
    path = write_model(tmp_path / "m.gguf")
    os.utime(path, (1000, 2000))
    (entry,) = scanned(tmp_path).models()
    assert (entry.path, entry.size_bytes, entry.modified_at) == (path, path.stat().st_size, 2000.0)
    assert entry.metadata.architecture == "llama"


def test_latest_is_part_of_no_name_unless_it_is(tmp_path):
    catalog = scanned(write_model(tmp_path / "m.gguf"))
    assert catalog.find("m:latest") == catalog.find("m")
    assert catalog.find("m:other") is None


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"hello", "GGUF"), (model()[:60], "truncated")]
)
def test_a_named_file_that_is_no_model_is_an_error_of_one_line(tmp_path, content, reason):
    path = tmp_path / "m.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatalogError, match=reason) as caught:
        scanned(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_in_a_directory_that_is_no_model_is_skipped_with_one_warning(tmp_path, caplog):
    (tmp_path / "bad.gguf").write_bytes(b"hello")
    write_model(tmp_path / "good.gguf")
    catalog = scanned(tmp_path)
    assert names(catalog) == names(catalog) == ["good"]
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([warning for warning in warnings if "bad.gguf" in warning]) == 1


def test_files_that_come_change_and_go_are_noticed(tmp_path):
    first = write_model(tmp_path / "first.gguf")
    catalog = scanned(tmp_path)
    before = catalog.find("first")
    write_model(tmp_path / "second.gguf")
    assert catalog.find("second") is not None
    write_model(first, tokenizer__chat_template="new")
    after = catalog.find("first")
    assert after != before
    assert after.metadata.chat_template == "new"
    first.unlink()
    assert catalog.find("first") is None
    assert names(catalog) == ["second"]


def test_a_file_that_was_still_being_copied_is_taken_once_it_is_whole(tmp_path):
    path = tmp_path / "m.gguf"
    path.write_bytes(model()[:60])
    catalog = scanned(tmp_path)
    assert names(catalog) == []
    path.write_bytes(model())
    assert names(catalog) == ["m"]


def test_unchanged_files_are_not_read_again(tmp_path, monkeypatch):
    write_model(tmp_path / "m.gguf")
    (tmp_path / "bad.gguf").write_bytes(b"hello")
    catalog = scanned(tmp_path)
    reads = []
    monkeypatch.setattr(catalog_module, "read_metadata", reads.append)
    assert names(catalog) == ["m"]
    assert reads == []


def test_a_directory_is_looked_at_again_at_most_once_a_second(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog_module, "_RESCAN_SECONDS", 1.0)
    catalog = scanned(tmp_path)
    write_model(tmp_path / "m.gguf")
    assert names(catalog) == []


def test_a_split_model_is_one_entry_of_all_its_files(tmp_path):
    parts = [write_model(tmp_path / f"big-0000{number}-of-00003.gguf") for number in (1, 2, 3)]
    (entry,) = scanned(tmp_path).models()
    assert (entry.name, entry.path, entry.paths) == ("big", parts[0], tuple(parts))
    assert entry.size_bytes == sum(part.stat().st_size for part in parts)


def test_a_split_model_with_a_missing_part_is_no_model(tmp_path):
    first = write_model(tmp_path / "big-00001-of-00002.gguf")
    assert names(scanned(tmp_path)) == []
    with pytest.raises(CatalogError, match=r"big-00002-of-00002\.gguf"):
        scanned(first)


def test_a_later_part_cannot_be_named(tmp_path):
    path = write_model(tmp_path / "big-00002-of-00002.gguf")
    with pytest.raises(CatalogError, match=r"name its first part, big-00001-of-00002\.gguf"):
        scanned(path)


def test_two_named_files_of_one_name_are_an_error(tmp_path):
    paths = [write_model(tmp_path / folder / "m.gguf") for folder in ("a", "b")]
    with pytest.raises(CatalogError, match="NAME="):
        scanned(*paths)


def test_of_two_models_of_one_name_in_directories_the_first_is_served(tmp_path, caplog):
    paths = [write_model(tmp_path / folder / "m.gguf") for folder in ("a", "b")]
    (entry,) = scanned(tmp_path / "a", tmp_path / "b").models()
    assert entry.path == paths[0]
    assert "already that of" in caplog.text


def test_a_directory_takes_no_name(tmp_path):
    with pytest.raises(CatalogError, match="file only"):
        scanned(("name", tmp_path))


def test_links_are_followed_and_cycles_end(tmp_path):
    target = write_model(tmp_path / "blobs" / "sha.gguf")
    served = tmp_path / "served"
    served.mkdir()
    (served / "m.gguf").symlink_to(target)
    (served / "again").symlink_to(served)
    (served / "broken.gguf").symlink_to(tmp_path / "nowhere")
    assert names(scanned(served)) == ["m"]


def test_a_name_that_is_not_utf_8_is_skipped(tmp_path):
    write_model(tmp_path / "good.gguf")
    (tmp_path / os.fsdecode(b"b\xffd.gguf")).write_bytes(model())
    assert names(scanned(tmp_path)) == ["good"]


def test_an_empty_directory_is_fine(tmp_path):
    assert names(scanned(tmp_path)) == []
