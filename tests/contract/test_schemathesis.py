"""Schemathesis against the live server and the real engine: every phase and every check, on all three documents.

`make test` tries a bounded number of requests, `make fuzz` (`--fuzz-examples`) many more. schemathesis.toml holds what is left out.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from engine import BUNDLED_MODEL
from tests.launch import environment, serving
from tools.bench_model.projectors import PROJECTORS, write_projector
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

HERE = Path(__file__).parent
SHORT_EXAMPLES = 20
KEY = "tl-fuzzing-key"


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """A server that asks for a key, with a context so small that no answer can take long."""
    directory = tmp_path_factory.mktemp("fuzzed")
    write_model(directory / "ranker.gguf", PRESETS["ranker"], name="ranker")
    write_model(directory / "seeing.gguf", PRESETS["test-attention"], name="seeing")
    write_projector(directory / "mmproj-seeing.gguf", PROJECTORS["omni"], model_width=64)
    models = [f"--model={path}" for path in (BUNDLED_MODEL, directory / "ranker.gguf", directory / "seeing.gguf")]
    # 2048 tokens are the longest input that the document allows
    with serving(directory, *models, "--ctx-size", "2048", TRUELINE_API_KEYS=KEY) as running:
        yield running


@pytest.mark.timeout(0)  # bounded by the number of examples; a hanging request ends by request-timeout
@pytest.mark.parametrize("document", ["server", "openai", "ollama"])
def test_no_request_breaks_the_contract(document, target, pytestconfig):
    examples = pytestconfig.getoption("--fuzz-examples") or SHORT_EXAMPLES
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{target.url}/openapi/{document}.json"),
            *("--header", f"Authorization: Bearer {KEY}", "--output-sanitize", "false"),
            *("--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--max-examples", str(examples)),
        ],
        cwd=HERE.parents[1],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr[-5_000:]
    assert "No test cases" not in run.stdout
