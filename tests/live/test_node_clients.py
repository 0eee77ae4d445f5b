"""The official Node clients and Vercel's AI SDK against the live server, each script run by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.launch import environment

SCRIPTS = Path(__file__).parent / "node"

pytestmark = [
    pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed"),
    pytest.mark.skipif(
        not (SCRIPTS / "node_modules").is_dir(), reason="the Node clients are not installed: make test does"
    ),
]


@pytest.mark.parametrize("package", ["openai", "ollama", "ai"])
def test_every_method_of_the_node_client_works(package, server, model):
    run = subprocess.run(
        ["node", "--test", "--test-reporter=tap", f"{package}.test.mjs"],
        cwd=SCRIPTS,
        env=environment(TRUELINE_URL=server.url, TRUELINE_MODEL=model),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "# pass 0" not in run.stdout
