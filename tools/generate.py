"""`python -m tools.generate`: derives from the documents in openapi/ what would otherwise be written twice.

`--check` writes nothing and exits 1 if a derived file is stale. Owns which file is derived by what; the deriving itself is
in tools/derived. Must not know what the documents describe.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import openapi
from tools.derived.operation_table import operation_table
from tools.derived.source import generated_header
from tools.derived.support_matrix import support_matrix
from tools.derived.typed_bodies import typed_bodies

ROOT = Path(__file__).resolve().parent.parent
TITLES = {"openai": "OpenAI API", "ollama": "Ollama API", "server": "server's own API"}


def derived_files() -> dict[str, str]:
    """The text of every derived file, by its path from the project's root."""
    documents: dict[str, dict[str, Any]] = {name: openapi.document(name) for name in openapi.DOCUMENT_NAMES}
    types = "handlers/wire/types"
    files = {f"{types}/{name}.py": typed_bodies(TITLES[name], document) for name, document in documents.items()}
    files[f"{types}/__init__.py"] = generated_header("Types of the bodies and events of every document.")
    files["handlers/contract/operations.py"] = operation_table(documents)
    formatted = {path: _formatted(path, text) for path, text in files.items()}
    return formatted | {"openapi/SUPPORT.md": support_matrix(documents, openapi.coverage())}


def stale_files(files: dict[str, str]) -> list[str]:
    """The paths whose file is absent or differs from `files`."""
    return [path for path, text in files.items() if _current(ROOT / path) != text]


def _current(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _formatted(path: str, text: str) -> str:
    """Python source as the project's formatter and import sorter leave it."""
    command = [sys.executable, "-m", "ruff", "format", "--quiet", "--stdin-filename", path, "-"]
    return subprocess.run(command, input=text, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main(arguments: list[str] | None = None) -> int:
    """Write the derived files, or with `--check` say which are stale."""
    parser = argparse.ArgumentParser(description="Derive code and tables from the documents in openapi/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a derived file is stale")
    check = parser.parse_args(arguments).check
    files = derived_files()
    stale = stale_files(files)
    for path in stale:
        print(f"{path}: stale; run `make generate`" if check else f"{path}: written")
        if not check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(files[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
