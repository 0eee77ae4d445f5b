"""Fetch the chat templates of many families, which llama-cpp-python's source package carries: `python -m tools.family_templates FOLDER`.

They are not ours to ship, and are kept in FOLDER; those of the installed version, once. Prints where they lie.
"""

import argparse
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

_PACKAGE = "llama-cpp-python"
_INSIDE = "/vendor/llama.cpp/models/templates/"


def fetch(folder: Path) -> Path:
    """Where the templates lie. Raises subprocess.CalledProcessError where pip can't download the package."""
    wanted = version(_PACKAGE)
    target = folder / f"templates-{wanted}"
    if target.is_dir():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        unpacked = Path(scratch, "templates")
        unpacked.mkdir()
        _unpack(_download(wanted, Path(scratch)), unpacked)
        unpacked.rename(target)
    return target


def _download(wanted: str, folder: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    subprocess.run(
        [*pip, "--no-deps", "--no-binary", _PACKAGE, "--dest", str(folder), f"{_PACKAGE}=={wanted}"], check=True
    )
    return next(folder.glob("*.tar.gz"))


def _unpack(package: Path, folder: Path) -> None:
    with tarfile.open(package) as archive:
        for member in archive:
            if member.isfile() and _INSIDE in member.name and (content := archive.extractfile(member)):
                (folder / Path(member.name).name).write_bytes(content.read())


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where they are kept")
    try:
        print(fetch(parser.parse_args().folder))
    except subprocess.CalledProcessError as error:
        print(f"pip could not download {_PACKAGE}: it ended with status {error.returncode}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
