"""Prefixes on disk: found again after a restart, never read wrong, within their bytes, and no request's trouble."""

import os
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.config import Attention, LoadParams, LoraFile
from engine.worker.prefix_files import PrefixFiles, identity_of
from engine.worker.prefix_store import PrefixStore, StoredPrefix
from engine.worker.prefixes import PLAIN_MEMORY

LONG = list(range(200))
IDENTITY = "a" * 64


def prefix_of(tokens=LONG, *, salt="", size_bytes=1000):
    state = np.arange(size_bytes, dtype=np.uint8)
    return StoredPrefix(salt, list(tokens), state)


def write(directory, *prefixes, limit_bytes=1 << 20, identity=IDENTITY):
    files = PrefixFiles(directory, limit_bytes, identity)
    for prefix in prefixes:
        files.put(prefix)
    files.close()


def read(directory, tokens=LONG, *, salt="", identity=IDENTITY, token_seconds=None):
    """What a new process finds for these tokens."""
    files = PrefixFiles(directory, 1 << 20, identity)
    files.close()
    store = PrefixStore(1 << 20, PLAIN_MEMORY, token_seconds=lambda: token_seconds)
    files.fetch(store, salt, tokens)
    return store.find(salt, tokens, beyond=0)


def files_in(directory):
    return sorted(path for path in Path(directory).rglob("*") if path.is_file())


def test_what_was_written_is_found_after_a_restart(tmp_path):
    write(tmp_path, prefix_of())
    found = read(tmp_path, [*LONG, 7])
    assert found is not None
    assert found.tokens == LONG
    assert found.state.tobytes() == prefix_of().state.tobytes()


def test_what_is_there_and_what_was_read_are_counted(tmp_path):
    write(tmp_path, prefix_of())
    files = PrefixFiles(tmp_path, 1 << 20, IDENTITY)
    files.close()
    store = PrefixStore(1 << 20, PLAIN_MEMORY, token_seconds=lambda: None)
    for tokens in (LONG, [9, *LONG], LONG[:10], LONG):
        files.fetch(store, "", tokens)
    activity = files.activity()
    assert (activity.entries, activity.hits, activity.misses) == (1, 1, 1)
    assert activity.size_bytes == files_in(tmp_path)[0].stat().st_size


@pytest.mark.parametrize("asked", [{"salt": "other"}, {"identity": "b" * 64}, {"identity": IDENTITY[:32] + "c" * 32}])
def test_another_salt_or_another_model_finds_nothing(asked, tmp_path):
    write(tmp_path, prefix_of())
    assert read(tmp_path, **asked) is None


def test_nothing_is_read_that_is_computed_sooner(tmp_path):
    write(tmp_path, prefix_of())
    assert read(tmp_path, token_seconds=1e-12) is None


@pytest.mark.parametrize("length", [0, 5, 20, 200, -1])
def test_a_file_that_is_cut_is_never_read(length, tmp_path):
    write(tmp_path, prefix_of())
    (path,) = files_in(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert read(tmp_path) is None


def test_a_file_with_any_byte_changed_is_never_read(tmp_path):
    write(tmp_path, prefix_of())
    (path,) = files_in(tmp_path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 37):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        path.write_bytes(changed)
        assert read(tmp_path) is None


def test_the_directory_stays_within_its_bytes_and_loses_what_was_used_longest_ago(tmp_path):
    prefixes = [prefix_of([n] * 100, size_bytes=4000) for n in range(4)]
    for age, prefix in enumerate(prefixes):
        write(tmp_path, prefix, limit_bytes=14_000)
        for path in files_in(tmp_path):
            os.utime(path, (path.stat().st_mtime - 10, path.stat().st_mtime - 10))
        if age == 1:
            assert read(tmp_path, [0] * 100) is not None
    assert sum(path.stat().st_size for path in files_in(tmp_path)) <= 14_000
    assert [read(tmp_path, [n] * 100) is not None for n in range(4)] == [True, False, True, True]


def test_directories_and_links_with_the_names_of_prefixes_are_left_alone_and_disturb_nothing(tmp_path, caplog):
    foreign = [
        tmp_path / "mine.prefix",
        tmp_path / "mine.partial",
        tmp_path / IDENTITY[:32] / "its.prefix",
        tmp_path / "link.prefix",
    ]
    for path in foreign[:3]:
        path.mkdir(parents=True)
        os.utime(path, (1, 1))
    foreign[3].symlink_to(tmp_path)
    first, second = prefix_of(), prefix_of(range(1000, 1200))
    write(tmp_path, first, second, limit_bytes=3000)
    assert read(tmp_path, LONG) is None
    assert read(tmp_path, second.tokens) is not None
    assert all(path.exists() for path in foreign)
    assert not caplog.records


def test_nothing_larger_than_the_bound_is_written(tmp_path):
    write(tmp_path, prefix_of(), limit_bytes=500)
    assert files_in(tmp_path) == []


def test_only_the_owner_may_read_what_was_asked(tmp_path):
    write(tmp_path / "made", prefix_of())
    (path,) = files_in(tmp_path)
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_directory_that_can_not_be_written_is_named_once_and_nothing_fails(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    files = PrefixFiles(tmp_path / "file", 1 << 20, IDENTITY)
    files.put(prefix_of())
    files.put(prefix_of([1] * 100))
    files.close()
    assert len([record for record in caplog.records if "no longer kept" in record.message]) == 1


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, monkeypatch, caplog):
    def full(*_args, **_options):
        raise OSError(28, "No space left on device")

    files = PrefixFiles(tmp_path, 1 << 20, IDENTITY)
    monkeypatch.setattr(Path, "replace", full)
    files.put(prefix_of())
    files.put(prefix_of([1] * 100))
    files.close()
    assert files_in(tmp_path) == []
    assert "No space left on device" in caplog.text


def test_the_identity_changes_with_every_file_and_parameter_that_a_state_depends_on(tmp_path):
    model, adapter = tmp_path / "m-00001-of-00002.gguf", tmp_path / "lora.gguf"
    second_part = tmp_path / "m-00002-of-00002.gguf"
    for path in (model, second_part, adapter):
        path.write_bytes(b"x")
    params = LoadParams(lora=(LoraFile(name="a", path=str(adapter)),))
    identities = [identity_of(model, params), identity_of(model, params)]
    assert identities[0] == identities.pop()
    for path in (model, second_part, adapter):
        path.write_bytes(path.read_bytes() + b"y")
        identities.append(identity_of(model, params))
    changes = ({"attention": Attention(cache_type_k="q8_0")}, {"ctx_size_tokens": 1}, {"lora": ()})
    identities += [identity_of(model, msgspec.structs.replace(params, **change)) for change in changes]
    assert len(set(identities)) == 7
    assert identity_of(model, msgspec.structs.replace(params, threads=3)) == identity_of(model, params)
