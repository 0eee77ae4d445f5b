"""What may still be taken of memory: the machine's, or what the process's control groups leave of it."""

import os

import psutil
import pytest

from engine.memory import available_bytes, lacking_memory, own_bytes

GIB = 1 << 30


def group(folder, names, *, limit, usage, stat=""):
    folder.mkdir(parents=True)
    for name, value in zip(names, (limit, usage), strict=True):
        (folder / name).write_text(f"{value}\n")
    (folder / "memory.stat").write_text(stat)


V2, V1 = ("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")


@pytest.fixture
def groups(tmp_path):
    (tmp_path / "cgroup").write_text("4:cpu,memory:/a/b\n1:name=systemd:/\n0::/c/d\n")
    return tmp_path / "cgroup"


def available(groups):
    return available_bytes(groups, groups.parent / "fs")


def test_without_groups_it_is_what_the_machine_has(tmp_path):
    assert available(tmp_path / "none") >= psutil.virtual_memory().available // 2


@pytest.mark.parametrize(("folder", "names"), [("c/d", V2), ("c", V2), ("", V2), ("memory/a/b", V1), ("memory", V1)])
def test_the_tightest_group_counts_and_files_in_memory_are_free(groups, folder, names):
    stat = "anon 5\nactive_file 1000\ninactive_file 24\n"
    group(groups.parent / "fs" / folder, names, limit=5 << 20, usage=3 << 20, stat=stat)
    assert available(groups) == (2 << 20) + 1024


def test_a_group_without_a_limit_is_passed_over(groups):
    group(groups.parent / "fs" / "c", V2, limit="max", usage=5)
    assert available(groups) > 5


def test_a_group_beyond_its_limit_leaves_nothing(groups):
    group(groups.parent / "fs" / "c", V2, limit=5, usage=7)
    assert available(groups) == 0


def test_a_cache_that_does_not_fit_is_told_with_both_sizes():
    assert lacking_memory(1 << 40, 0) is None
    assert lacking_memory(1000, 1000) is None
    assert lacking_memory(1000, 1 << 40, freed_bytes=1000 << 40) is None
    reason = lacking_memory(1 << 20, 1 << 30)
    assert reason is not None
    assert "1048576 tokens takes 1,048,576.0 GiB" in reason


def test_a_process_gives_back_what_is_its_own():
    assert 0 < own_bytes(os.getpid()) < psutil.Process().memory_info().rss
    assert own_bytes(1 << 22) == 0
