"""A model's file becomes a smaller one that generates, or there is none and one line says why."""

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from engine import QUANTIZATIONS, QuantizationError, plan_quantization, write_quantization
from engine.families import FAMILIES
from engine.host.quantization import COMMAND
from tests import gguf_bytes
from tests.process.worker.inprocess import InProcess, load, request
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

WIDE = replace(PRESETS["test-attention"], width=256, feed_forward=512)
"""Wide enough for the types that take blocks of 256 weights."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A small model in single precision."""
    path = tmp_path_factory.mktemp("quantization") / "source.gguf"
    write_model(path, WIDE, name="source")
    return path


def quantized(source, target, *arguments, **options):
    return write_quantization(plan_quantization(source, target, *arguments), **options)


def test_the_type_recommended_for_the_family_is_the_default_and_the_result_generates(source, tmp_path):
    plan = plan_quantization(source, tmp_path / "small.gguf")
    assert (plan.recognition.family.name, plan.type, plan.is_recommended) == ("chatml", "Q4_K_M", True)
    written = write_quantization(plan)
    assert written.metadata.quantization == "Q4_K_M"
    assert {"Q4_K", "Q6_K"} < {tensor.type for tensor in written.metadata.shapes}
    assert written.size_bytes == plan.target.stat().st_size < source.stat().st_size / 4
    assert [path.name for path in tmp_path.iterdir()] == ["small.gguf"]
    with load(plan.target) as worker:
        assert InProcess(worker).run(request("Hello", ignore_eos=True))[0].usage.completion_tokens == 12


def test_every_familys_recommendation_can_be_written():
    assert {family.quantization for family in FAMILIES.values()} <= set(QUANTIZATIONS)


@pytest.mark.parametrize("wanted", ["q8_0", "F16", "iq4_xs", "Q2_K", "tq2_0"])
def test_a_type_may_be_named_in_any_case(source, tmp_path, wanted):
    assert quantized(source, tmp_path / "small.gguf", wanted).metadata.quantization == wanted.upper()


def test_a_quantized_model_is_quantized_again_only_when_told(source, tmp_path):
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    quantized(source, first, "Q8_0")
    with pytest.raises(QuantizationError, match=r"quantized already \(it has tensors of type Q8_0\)"):
        plan_quantization(first, second)
    again = write_quantization(plan_quantization(first, second, requantizes=True))
    assert again.metadata.quantization == "Q4_K_M"


def test_what_stands_in_the_way_is_said_before_anything_is_written(source, tmp_path):
    target = tmp_path / "small.gguf"
    (tmp_path / "fake.gguf").write_bytes(b"no model at all" * 10)
    (tmp_path / "there.gguf").touch()
    for arguments, complaint in (
        ((tmp_path / "nobody.gguf", target), "nobody.gguf: cannot be read: No such file"),
        ((tmp_path, target), "expected a GGUF file, not a directory"),
        ((tmp_path / "fake.gguf", target), "fake.gguf: not a usable GGUF file"),
        ((source, tmp_path / "there.gguf"), "there.gguf: there is a file of this name already"),
        ((source, source), "there is a file of this name already"),
        ((source, tmp_path / "nowhere" / "small.gguf"), "its directory is not there"),
        ((source, tmp_path / "small-00001-of-00002.gguf"), "that of a part of a model"),
        ((source, tmp_path / "small-00002-of-00002.gguf"), "that of a part of a model"),
        ((source, target, "Q4_K_XXL"), "there is no quantization 'Q4_K_XXL'; expected one of F32, F16, Q4_0, "),
        ((source, target, "iq2_xxs"), "IQ2_XXS takes an importance matrix"),
        ((source, target, "NVFP4"), "there is no quantization"),
    ):
        with pytest.raises(QuantizationError, match=complaint):
            plan_quantization(*arguments)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fake.gguf", "there.gguf"]


def test_a_model_that_is_larger_than_what_the_disk_has_left_is_refused(tmp_path):
    weights = (
        shutil.disk_usage(tmp_path).free // (4 * 128) * 128 * 2
    )  # twice as many as there is room for in single precision
    path = tmp_path / "vast.gguf"
    header = gguf_bytes.gguf(
        [gguf_bytes.pair("general.architecture", "llama")],
        [gguf_bytes.tensor("token_embd.weight", (128, weights // 128), type_code=41)],
    )
    path.write_bytes(header)
    os.truncate(path, len(header) + weights // 128 * 18)  # takes no room itself: all of it is a hole
    with pytest.raises(
        QuantizationError, match=r"no room for it: as F32 it takes more than \d+ bytes, and the disk has \d+ left"
    ):
        plan_quantization(path, tmp_path / "small.gguf", "F32", requantizes=True)


def test_a_disk_that_takes_no_more_is_told_and_leaves_no_file(source, tmp_path):
    limited = ("bash", "-c", 'ulimit -f 64; exec "$@"', "limited", *COMMAND)  # KiB of one file
    with pytest.raises(QuantizationError, match=r"llama.cpp can't quantize source.gguf: .*failed to quantize"):
        quantized(source, tmp_path / "small.gguf", command=limited)
    assert not list(tmp_path.iterdir())


def test_llama_cpps_own_refusal_is_told_and_leaves_no_file(source, tmp_path):
    broken = tmp_path / "broken.gguf"
    content = bytearray(source.read_bytes())
    content[-4096:] = b"\xff" * 4096  # no numbers
    broken.write_bytes(content)
    with pytest.raises(
        QuantizationError, match=r"llama.cpp can't quantize broken.gguf: .*tensor '.*' has invalid data"
    ):
        quantized(broken, tmp_path / "small.gguf")
    assert [path.name for path in tmp_path.iterdir()] == ["broken.gguf"]


def test_a_crash_is_told_and_leaves_no_file(source, tmp_path):
    dying = (sys.executable, "-c", "import os, sys; open(sys.argv[2], 'w').write('half'); os.abort()")
    with pytest.raises(QuantizationError, match="the process that quantizes it was killed by signal 6"):
        quantized(source, tmp_path / "small.gguf", command=dying)
    assert not list(tmp_path.iterdir())


STARTER = """
import sys
from dataclasses import replace
from pathlib import Path
from pathlib import Path
from engine import plan_quantization, write_quantization
source, endless, target = map(Path, sys.argv[1:])
plan = plan_quantization(source, target)
write_quantization(replace(plan, source=replace(plan.source, paths=(endless,))))
"""


def test_when_its_starter_is_killed_nothing_is_left(source, tmp_path):
    endless = tmp_path / "endless"
    os.mkfifo(endless)  # who opens it to read waits for somebody to write
    files = tuple(map(str, (source, endless, tmp_path / "small.gguf")))
    starter = subprocess.Popen((sys.executable, "-c", STARTER, *files), stdin=subprocess.DEVNULL)
    writer = the_child_of(starter)
    unfinished = Path(writer.cmdline()[-3])
    unfinished.write_bytes(b"half of it")
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    _, alive = psutil.wait_procs([writer], timeout=30)
    assert not alive
    assert unfinished.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == ["endless"]


def the_child_of(starter):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = [child for child in psutil.Process(starter.pid).children() if COMMAND[-1] in child.cmdline()]
        if found:
            return found[0]
        time.sleep(0.005)
    raise AssertionError("it started no process")
