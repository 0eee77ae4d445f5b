"""Which work is measured on a GPU, in slices of one model and one row each. Must not know how servers are built."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tools.bench.compare import servers
from tools.bench.compare.rows import ROWS, Row, decoding_row
from tools.bench.compare.servers import Kind, Place, Setup
from tools.bench.compare.verdict import Bound

MODELS = ("1b", "8b")
CLIENTS = (1, 8, 32, 64)
NEARLY_LEVEL = Bound(at_least=0.95)
_LETTERS = "abcdef"


def rows(model: str, clients: Sequence[int] = CLIENTS) -> dict[str, Row]:
    """The comparison's rows a to f on `model`; a, and b on the tiny model, at all numbers of clients."""
    found = {letter: _on(ROWS[letter], model) for letter in _LETTERS[2:]}
    found["a"] = decoding_row("a", f"plain streams, {model}", model, clients, NEARLY_LEVEL, per_client=2, alone=4)
    found["b"] = decoding_row("b", "plain streams, tiny", "tiny", clients, NEARLY_LEVEL, per_client=4, alone=12)
    return {letter: found[letter] for letter in _LETTERS}


def slices(models: Sequence[str] = MODELS) -> list[tuple[str, str]]:
    """Every pair of model and row, those first that say most; the tiny model's row once."""
    return [(model, letter) for letter in _LETTERS for model in models if letter != "b" or model == models[0]]


def on_gpu(kind: Kind) -> Kind:
    """The same server with every layer on the GPU."""
    option = ["--n-gpu-layers", "all"] if kind.name == servers.OURS else ["-ngl", "999"]

    def command(setup: Setup, place: Place) -> list[str]:
        return [*kind.command(setup, place), *option]

    return replace(kind, command=command)


def kinds(programs: Path) -> list[Kind]:
    """Both servers. `programs`: where llama-server is."""
    return [on_gpu(servers.trueline()), on_gpu(servers.llama_server(programs / "llama-server"))]


def _on(row: Row, model: str) -> Row:
    assert row.setup is not None
    work = row.work.replace("0.5B", model).replace("tiny", model)
    return replace(row, setup=replace(row.setup, model=model), work=work)
