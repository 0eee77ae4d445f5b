"""Digests are computed once for each state of a file, over restarts too."""

import hashlib
import os
from pathlib import Path
from unittest.mock import patch

from engine import BUNDLED_MODEL
from engine.host import digests
from engine.host.catalog import Catalog, ModelEntry
from engine.host.digests import Digests

EXPECTED = hashlib.sha256(BUNDLED_MODEL.read_bytes()).hexdigest()


def entry_of(path: Path) -> ModelEntry:
    catalog = Catalog(((None, path),))
    catalog.scan()
    return catalog.models()[0]


async def test_a_digest_is_that_of_the_file():
    assert await Digests().digest(entry_of(BUNDLED_MODEL)) == EXPECTED


async def test_a_kept_digest_is_not_computed_again(tmp_path):
    assert await Digests(tmp_path / "cache").digest(entry_of(BUNDLED_MODEL)) == EXPECTED
    with patch.object(digests, "_digest", side_effect=AssertionError("computed again")):
        assert await Digests(tmp_path / "cache").digest(entry_of(BUNDLED_MODEL)) == EXPECTED


async def test_a_changed_file_gets_a_new_digest(tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(BUNDLED_MODEL.read_bytes())
    first = await Digests(tmp_path / "cache").digest(entry_of(file))
    file.write_bytes(BUNDLED_MODEL.read_bytes() + b"more")
    os.utime(file, ns=(1, 1))
    assert await Digests(tmp_path / "cache").digest(entry_of(file)) != first


async def test_a_cache_that_can_not_be_written_costs_nothing_but_time(tmp_path):
    blocked = tmp_path / "cache"
    blocked.write_text("not a directory")
    assert await Digests(blocked / "deeper").digest(entry_of(BUNDLED_MODEL)) == EXPECTED
