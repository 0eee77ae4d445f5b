"""The benchmarks run: the load generator's command against a live server, and the comparison of HTTP layers."""

import json
from pathlib import Path

import pytest

from tools.bench.__main__ import main
from tools.bench.compare.contest import Contest
from tools.bench.compare.measures import Measure, conversation, decoding, memory, structured
from tools.bench.compare.rows import Row
from tools.bench.compare.servers import OURS, Setup, trueline
from tools.bench.http_layer import REQUESTS, SERVERS, run, served
from tools.bench_model.tensor import Shape
from tools.make_bench_model import write_model


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    with served("instant", tmp_path_factory.mktemp("models")) as (port, _):
        yield f"http://127.0.0.1:{port}"


def test_two_servers_are_measured_in_turns_and_reported_side_by_side(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "figures.json"
    arguments = [
        f"a={url}",
        f"b={url}/v1/",
        "--clients",
        "3",
        "--requests",
        "7",
        "--rounds",
        "2",
        "--json",
        str(output),
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["a", "b", "/", "a"]
    figures = json.loads(output.read_text())["servers"]
    assert figures["a"]["requests"] == figures["b"]["requests"] == 14
    assert figures["a"]["completion_tokens"] == 14 * 64
    assert figures["a"]["prompt_tokens"] == pytest.approx(14 * 108, rel=0.02)


@pytest.mark.parametrize(
    "flags", [["--no-stream"], ["--schema"], ["--long-prompt-tokens", "3000"], ["--shared-prefix-tokens", "400"]]
)
def test_every_kind_of_load_runs(url: str, flags: list[str]) -> None:
    assert main([url, "--clients", "2", "--requests", "4", *flags]) == 0


def test_a_server_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://127.0.0.1:9"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_is_no_url_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["localhost:8000"])


def test_every_http_layer_answers_every_request() -> None:
    rates = run(rounds=1, seconds=0.2)
    assert {(title, name) for title, by_name in rates.items() for name in by_name} == {
        (t, n) for t in REQUESTS for n in SERVERS
    }
    assert all(rate.wall > 0 for by_name in rates.values() for rate in by_name.values())


@pytest.mark.parametrize("measure", [decoding((1, 2), per_client=1, alone=1), structured, conversation, memory])
def test_the_comparison_starts_this_server_and_measures_it(tmp_path: Path, measure: Measure) -> None:
    write_model(tmp_path / "small.gguf", Shape("qwen2", 1, 32, 1, 1, 32, 2000, "F16"), name="small")
    row = Row("x", "some work", (), Setup("small", parallel=8), measure)
    contest = Contest([trueline()], tmp_path, threads=1, rounds=1, is_quick=True, say=print)
    (outcome,) = contest.run(row)[OURS]
    assert (outcome.failure, outcome.notes) == (None, ())
    assert all(figure > 0 for figure in outcome.figures.values())
