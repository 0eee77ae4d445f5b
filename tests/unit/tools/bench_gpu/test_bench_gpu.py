"""The steps of the comparison on a GPU, as far as they can be told without one."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import llama_cpp
import pytest

from tools.bench.compare.servers import LLAMA_SERVER, OURS, Place, Setup
from tools.bench_gpu import carry
from tools.bench_gpu.__main__ import main
from tools.bench_gpu.proof import Proof, gpu_state
from tools.bench_gpu.rows import CLIENTS, kinds, rows, slices

GIB = 2**30


@pytest.fixture
def carried(tmp_path):
    """A directory as `pack` leaves it, with an empty source package."""
    folder = tmp_path / "carried"
    (folder / "wheels").mkdir(parents=True)
    source = tmp_path / "llama_cpp_python-9.9.9"
    (source / "vendor" / "llama.cpp").mkdir(parents=True)
    with tarfile.open(folder / "llama_cpp_python-9.9.9.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    return folder


def test_the_build_is_one_for_both_servers_and_says_what_it_runs(carried, tmp_path, capsys):
    assert main(["build", str(carried), str(tmp_path / "state"), "--dry-run", "--jobs", "16"]) == 0
    configure, compile_ = capsys.readouterr().out.splitlines()
    assert "-DGGML_CUDA=ON" in configure
    assert "llama_cpp_python-9.9.9/vendor/llama.cpp" in configure
    assert compile_.endswith("-j 16 --target llama-server llama mtmd")


def test_what_was_not_carried_is_named(tmp_path, capsys):
    assert main(["build", str(tmp_path), str(tmp_path / "state"), "--dry-run"]) == 2
    assert "llama_cpp_python-*.tar.gz" in capsys.readouterr().err


def test_a_build_that_runs_out_of_time_says_so():
    from tools.bench_gpu import build

    sleep = [sys.executable, "-c", "import time; time.sleep(30)"]
    assert not build.run([sleep], within_seconds=0.2)
    assert build.run([[sys.executable, "-c", ""]], within_seconds=30)
    with pytest.raises(subprocess.CalledProcessError):
        build.run([[sys.executable, "-c", "raise SystemExit(3)"]], within_seconds=30)


def test_the_bindings_are_not_among_what_is_installed_and_all_they_need_is():
    names = {requirement.split(">")[0].split(";")[0] for requirement in carry.requirements()}
    assert not any(name.startswith("llama") for name in names)
    assert {"numpy", "diskcache", "cmake", "connexion"} <= names


def test_the_bindings_load_the_libraries_beside_which_they_are_put(tmp_path):
    package = Path(llama_cpp.__file__).parent
    site = carry.link_bindings(package.parent, package / "lib", tmp_path)
    script = "import llama_cpp; llama_cpp.llama_backend_init(); print(llama_cpp.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == str(site / "llama_cpp" / "__init__.py")


def test_the_plan_has_every_row_on_every_model(capsys):
    assert main(["plan", "state"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(slices()) == 11
    assert "measure state 8b a" in lines
    for model, letter in slices():
        assert rows(model)[letter].letter == letter


def test_plain_streams_are_measured_at_every_number_of_clients_and_may_come_in_parts():
    titles = [line.figure for line in rows("8b")["a"].lines]
    assert all(any(title.startswith(f"{count} client") for title in titles) for count in CLIENTS)
    assert len(rows("8b", (1,))["a"].lines) == 2


def test_both_servers_put_every_layer_on_the_gpu(tmp_path):
    place = Place(tmp_path / "m.gguf", 4, 2000, tmp_path)
    commands = {kind.name: kind.command(Setup("1b", parallel=8), place) for kind in kinds(tmp_path)}
    assert commands[OURS][-2:] == ["--n-gpu-layers", "all"]
    assert commands[LLAMA_SERVER][-2:] == ["-ngl", "999"]


@pytest.mark.parametrize(
    ("used", "fast", "holds"), [(5 * GIB, 100.0, True), (1 * GIB, 100.0, False), (5 * GIB, 5.0, False)]
)
def test_layers_are_proved_by_memory_and_by_speed(used, fast, holds):
    proof = Proof("a GPU", 4 * GIB, used, fast, 10.0)
    assert proof.holds is holds
    assert proof.as_dict()["holds"] is holds


def test_nvidia_smis_report_is_read():
    assert gpu_state("NVIDIA H100 80GB HBM3, 1234\n") == ("NVIDIA H100 80GB HBM3", 1234 * 2**20)
    with pytest.raises(ValueError, match="expected a name"):
        gpu_state("No devices were found")


@pytest.mark.parametrize("words", [["9b", "a"], ["1b", "z"]])
def test_a_slice_that_there_is_not_is_named(words, tmp_path, capsys):
    assert main(["measure", str(tmp_path), *words]) == 2
    assert "there are" in capsys.readouterr().err
