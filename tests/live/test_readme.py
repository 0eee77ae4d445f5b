"""README's commands and snippets, run as they stand against the live server (on its port instead of 8000)."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launch import environment

ROOT = Path(__file__).parents[2]
NODE_DIR = Path(__file__).parent / "node"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def blocks(language, mark):
    """README's code blocks in `language` that contain `mark`."""
    return [text for found, text in BLOCKS if found == language and mark in text]


def run(command, text, server):
    """What `command` prints when it is fed the snippet; it must succeed."""
    snippet = text.replace("http://127.0.0.1:8000", server.url)
    result = subprocess.run(
        command, input=snippet, cwd=NODE_DIR, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_opens_with_the_two_commands():
    language, text = BLOCKS[0]
    assert language == "sh"
    assert [line for line in text.splitlines() if line.startswith("make")] == ["make serve", "make test"]


def test_it_shows_both_apis_and_four_clients():
    assert len(blocks("sh", "curl")) >= 2
    assert len(blocks("python", "import")) >= 2
    assert len(blocks("js", "import")) >= 2


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("text", blocks("sh", "curl"))
def test_its_curl_lines_answer(text, server):
    checked = text.replace("curl ", "curl --silent --show-error --fail-with-body ")
    answer = json.loads(run(["bash", "-euo", "pipefail"], checked, server))
    message = answer["message"] if "message" in answer else answer["choices"][0]["message"]
    assert "Trueline" in message["content"]


@pytest.mark.parametrize("text", blocks("python", "127.0.0.1:8000"))
def test_its_python_snippets_answer(text, server):
    assert "Trueline" in run([sys.executable, "-"], text, server)


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
@pytest.mark.skipif(
    not (NODE_DIR / "node_modules").is_dir(), reason="the Node clients are not installed: make test does"
)
@pytest.mark.parametrize("text", blocks("js", "127.0.0.1:8000"))
def test_its_node_snippets_answer(text, server):
    assert "Trueline" in run(["node", "--input-type=module", "-"], text, server)
