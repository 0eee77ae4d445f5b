"""`trueline download` against a hub on loopback: what comes is whole or not there, and every failure is one line."""

import os
import shutil
import signal
import subprocess
import time

import httpx
import pytest

from tests.gguf_bytes import gguf, model, pair, tensor
from tests.hub import COMMIT, Held, hub
from tests.launch import command, environment, serving
from tests.live.test_cli import assert_one_clear_line
from tools.bench_model.projectors import PROJECTORS, write_projector

NAME = "somebody/Tiny-Qwen3-GGUF"
SMALL = model("qwen3", general__name="tiny")
CHUNK_BYTES = 10 << 20
"""What the library writes at a time: less is lost when a connection ends."""
LARGE = gguf(
    [pair("general.architecture", "qwen3")], [tensor("w", (1024, 6000), type_code=0)], weights=bytes(24_576_064)
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


def settings(url, home, **more):
    return environment(HF_ENDPOINT=url, HF_HOME=str(home), HOME=str(home), **more)


@pytest.fixture
def download(tmp_path, folder):
    """Runs the command with a hub and returns what it said."""

    def run(served, *arguments, **more):
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
            os.environ.pop(name, None)
        return subprocess.run(
            command("download", *arguments, "--to", str(folder)),
            env=settings(getattr(served, "url", served), tmp_path / "home", **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_the_recommended_model_comes_with_its_projector_and_is_served(tmp_path, folder, download, demo_model_path):
    eyes = tmp_path / "eyes.gguf"
    write_projector(eyes, PROJECTORS["vision"], model_width=64)
    files = {
        "README.md": b"about it",
        "demo-Q2_K.gguf": SMALL,
        "demo-Q4_K_M.gguf": demo_model_path.read_bytes(),
        "mmproj-F16.gguf": eyes.read_bytes(),
    }
    with hub({NAME: Held(files, gguf={"architecture": "qwen3"})}) as served:
        run = download(served, NAME)
    assert (run.returncode, run.stderr) == (0, "")
    family, kind, source, target, projector = run.stdout.splitlines()
    assert family == "family     Qwen 3: its architecture is qwen3"
    assert kind == "type       Q4_K_M, as recommended for the family"
    assert source.startswith(f"from       {NAME} at {COMMIT[:12]}: demo-Q4_K_M.gguf, mmproj-F16.gguf (")
    assert target.startswith(f"to         {folder / 'demo-Q4_K_M.gguf'}: Q8_0, ")
    assert projector == f"projector  {folder / 'mmproj-demo-F16.gguf'}"
    assert names_in(folder) == ["demo-Q4_K_M.gguf", "mmproj-demo-F16.gguf"]
    (folder / "mmproj-demo-F16.gguf").unlink()  # made for a model of another width
    with serving(tmp_path, "--models-dir", str(folder)) as server:
        body = {"model": "demo-Q4_K_M", "messages": [{"role": "user", "content": "Hello!"}]}
        assert httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=60).status_code == 200


def test_a_split_model_comes_whole_under_its_own_names(folder, download):
    parts = {f"Q8_0/big-Q8_0-0000{number}-of-00002.gguf": SMALL for number in (1, 2)}
    with hub({NAME: Held({**parts, "big-Q4_K_M.gguf": SMALL})}) as served:
        run = download(served, f"{NAME}:q8_0")
    assert run.returncode == 0, run.stderr
    assert names_in(folder) == ["big-Q8_0-00001-of-00002.gguf", "big-Q8_0-00002-of-00002.gguf"]


def test_a_connection_that_ends_in_the_middle_is_taken_up_again_there(folder, download):
    with hub({NAME: Held({"a-Q8_0.gguf": LARGE}, cut={"a-Q8_0.gguf": CHUNK_BYTES + 1000})}) as served:
        run = download(served, NAME)
    assert run.returncode == 0, run.stderr
    ranges = [(name, wanted and wanted.rstrip("-")) for name, wanted in served.fetches()]
    assert ranges == [
        ("a-Q8_0.gguf", None),
        ("a-Q8_0.gguf", f"bytes={CHUNK_BYTES}"),
        ("a-Q8_0.gguf", f"bytes={2 * CHUNK_BYTES}"),
    ]
    assert (folder / "a-Q8_0.gguf").read_bytes() == LARGE


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_download_that_is_ended_leaves_no_model_and_goes_on_next_time(end, tmp_path, folder, download):
    held = Held({"a-Q8_0.gguf": LARGE}, cut={"a-Q8_0.gguf": CHUNK_BYTES + 1000}, is_held=True)
    with hub({NAME: held}) as served:
        first = subprocess.Popen(
            command("download", NAME, "--to", str(folder)),
            env=settings(served.url, tmp_path / "home"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 - it takes no lock
        )
        begun = the_part_in(folder)
        first.send_signal(end)
        said = first.communicate(timeout=30)[1]
        assert (first.returncode, said) == (130 if end == signal.SIGINT else -end, b"")
        assert [path.suffix for path in folder.iterdir()] == [".part"]
        assert begun.read_bytes() == LARGE[:CHUNK_BYTES]
        held.cut.clear()
        run = download(served, NAME)
    assert run.returncode == 0, run.stderr
    assert served.fetches()[-1] == ("a-Q8_0.gguf", f"bytes={CHUNK_BYTES}-")
    assert names_in(folder) == ["a-Q8_0.gguf"]
    assert (folder / "a-Q8_0.gguf").read_bytes() == LARGE


def heed_interrupts():
    """A shell's background jobs, and what they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def the_part_in(folder):
    """The file that grows there, once it has its first piece."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in folder.glob("*.part"):
            if path.stat().st_size == CHUNK_BYTES:
                return path
        time.sleep(0.01)
    raise AssertionError("nothing came")


def test_what_is_there_already_is_not_fetched_again(folder, download):
    with hub({NAME: Held({"a-Q8_0.gguf": SMALL})}) as served:
        assert download(served, NAME).returncode == 0
        again = download(served, NAME)
    assert again.returncode == 0, again.stderr
    assert len(served.fetches()) == 1
    (folder / "a-Q8_0.gguf").write_bytes(b"mine")
    with hub({NAME: Held({"a-Q8_0.gguf": SMALL})}) as served:
        assert_one_clear_line(download(served, NAME), "another file of this name", "--to")
    assert (folder / "a-Q8_0.gguf").read_bytes() == b"mine"


def test_other_content_than_was_announced_is_no_model(folder, download):
    other = SMALL[:-1] + b"!"
    with hub({NAME: Held({"a-Q8_0.gguf": other}, announced={"a-Q8_0.gguf": SMALL})}) as served:
        assert_one_clear_line(download(served, NAME), "a-Q8_0.gguf", "SHA-256", "run this again")
    assert names_in(folder) == []


def test_a_token_opens_a_gated_repository_and_no_token_says_how(download):
    gated = Held({"a-Q8_0.gguf": SMALL}, token="hf_secret", is_gated=True)
    with hub({NAME: gated}) as served:
        assert_one_clear_line(download(served, NAME), NAME, "grant access", "HF_TOKEN")
        assert download(served, NAME, HF_TOKEN="hf_secret").returncode == 0
        gated.is_gated = False
        assert_one_clear_line(download(served, NAME, HF_TOKEN="hf_other"), NAME, "HTTP 403", "HF_TOKEN")


def test_files_may_lie_with_another_host_which_never_sees_the_token(download):
    with hub({NAME: Held({"a-Q8_0.gguf": SMALL}, token="hf_secret", is_elsewhere=True)}) as served:
        run = download(served, NAME, HF_TOKEN="hf_secret")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nobody/nothing"], ["nobody/nothing", "no such repository", "HF_TOKEN"]),
        ([NAME, "--revision", "v9"], [NAME, "no branch, tag or commit v9", "--revision"]),
        ([NAME, "--type", "Q5_K_M"], ["nothing is of type Q5_K_M", "Q2_K, Q8_0"]),
        ([NAME], ["nothing is of type Q4_K_M", "recommended for Qwen 3", "Q2_K, Q8_0"]),
        ([f"{NAME}:Q8_0", "--file", "a-Q8_0.gguf"], ["--file"]),
        (["nothing"], ["expected OWNER/NAME"]),
        (["a--b/c"], ["a--b/c"]),
        ([f"{NAME}:Q2_K"], ["no room", "--to"]),
    ],
)
def test_what_stands_in_the_way_is_one_line(arguments, words, folder, download):
    held = Held({"a-Q2_K.gguf": SMALL, "a-Q8_0.gguf": SMALL})
    with hub({NAME: held}) as served:
        served.sizes = {"a-Q2_K.gguf": shutil.disk_usage(folder.parent).free * 2}
        assert_one_clear_line(download(served, *arguments), *words)
    assert not folder.exists() or names_in(folder) == []


def test_no_network_is_said_with_the_hubs_address(download):
    with hub({}) as served:
        gone = served.url
    assert_one_clear_line(download(gone, NAME), gone, "no connection", "HF_ENDPOINT")
    assert_one_clear_line(download(gone, NAME, HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE")


def test_a_directory_that_cant_be_written_to_is_named(tmp_path, folder, download):
    folder.write_bytes(b"a file")
    with hub({NAME: Held({"a-Q8_0.gguf": SMALL})}) as served:
        assert_one_clear_line(download(served, NAME), str(folder), "cannot be written")


def test_without_the_library_it_is_said_what_to_install(tmp_path):
    (tmp_path / "huggingface_hub.py").write_text("raise ModuleNotFoundError(name='huggingface_hub')")
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ".")))
    run = subprocess.run(
        command("download", NAME),
        env=environment(PYTHONPATH=path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert_one_clear_line(run, "pip install 'trueline[download]'")


def test_a_server_that_starts_loads_nothing_of_it():
    listing = "import sys, handlers.cli, handlers.serving; print(*sys.modules)"
    modules = subprocess.run([*command()[:1], "-c", listing], capture_output=True, text=True, check=True).stdout.split()
    assert "handlers.serving" in modules
    assert not [name for name in modules if name.startswith(("huggingface_hub", "handlers.downloads"))]
