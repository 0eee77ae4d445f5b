"""`python -m tools.spec_drift UPSTREAM.yaml DOCUMENT.yaml`: how our document departs from the published one.

Prints every difference of the served operations that coverage.yaml (beside DOCUMENT) does not explain, and everything that
coverage.yaml leaves out; exits 1 if there is any. Owns the order of the checks, which are in tools/drift.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.drift.coverage import operation_faults, parameter_faults, unexplained
from tools.drift.operations import Operation, differences, operations


def drift(upstream: Mapping[str, Any], document: Mapping[str, Any], entries: Mapping[str, Any]) -> Iterator[str]:
    """One line for each thing that is neither as published nor explained by `entries` (coverage.yaml's section)."""
    published, ours = operations(upstream), operations(document)
    yield from operation_faults(entries, published, ours)
    for name, operation in ours.items():
        if name in entries:
            yield from _operation_drift(name, entries[name], published.get(name), operation)


def _operation_drift(
    name: str, entry: Mapping[str, Any], published: Operation | None, ours: Operation
) -> Iterator[str]:
    yield from parameter_faults(name, entry, ours)
    if published is not None:
        # A schema reached by two paths may differ alike at both; the same difference is said once.
        yield from unexplained(name, entry, dict.fromkeys(differences(published, ours)))


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    return loaded


def main(arguments: list[str] | None = None) -> int:
    """Print what is unexplained; the exit code says whether there was anything."""
    parser = argparse.ArgumentParser(description="Compare a document of ours with the published one.")
    parser.add_argument("upstream", type=Path, help="the published OpenAPI document")
    parser.add_argument("document", type=Path, help="ours, with coverage.yaml beside it")
    paths = parser.parse_args(arguments)
    entries = _load(paths.document.with_name("coverage.yaml"))[paths.document.stem]
    found = list(drift(_load(paths.upstream), _load(paths.document), entries))
    for line in found:
        print(line)
    print(f"{len(found)} unexplained differences", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
