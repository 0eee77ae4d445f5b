"""The rows of the comparison: which work, on which model, and what is promised of it.

Owns the table. Must not know how work is put on a server.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.bench import http_layer
from tools.bench.compare import measures
from tools.bench.compare.prediction import predicted_text
from tools.bench.compare.servers import Setup
from tools.bench.compare.verdict import Bound, Figures, Line

_LEVEL = Bound(at_least=1.0)
_TOKENS = "tokens/s"
_MILLISECONDS = "ms"


@dataclass(frozen=True)
class Row:
    """One kind of work. `setup` None: `measure_alone` starts what it needs. `has_peers`: other servers can do it too."""

    letter: str
    work: str
    lines: Sequence[Line]
    setup: Setup | None = None
    measure: measures.Measure | None = None
    measure_alone: Callable[[bool], Figures] | None = None
    has_peers: bool = True


def decoding_row(letter: str, work: str, model: str, clients: Sequence[int], bound: Bound, **load: int) -> Row:
    """A row of plain streams at several numbers of clients; the greedy case is shown and not judged."""
    lines = [Line(measures.counted(count), _TOKENS, bound) for count in clients]
    lines.append(Line(f"{measures.counted(clients[len(clients) // 2])}, greedy", _TOKENS))
    setup = Setup(model, parallel=max(clients), context_tokens=max(8192, 256 * max(clients)))
    return Row(letter, work, lines, setup, measures.decoding(clients, **load))


def http_figures(is_quick: bool) -> Figures:
    """Requests per second of the HTTP layer's processor time, for the row that needs no model."""
    rates = http_layer.run(rounds=1 if is_quick else 3, seconds=1.0 if is_quick else 3.0)
    figures = {}
    for title, by_server in rates.items():
        figures[title] = by_server["trueline"].processor
        figures[f"{title}, FastAPI"] = by_server["fastapi"].processor
    return figures


ROWS: dict[str, Row] = {
    row.letter: row
    for row in (
        decoding_row("a", "plain streams, 0.5B", "0.5b", (1, 8, 16), _LEVEL, per_client=2, alone=4),
        decoding_row("b", "plain streams, tiny", "tiny", (1, 8, 32), _LEVEL, per_client=4, alone=12),
        Row(
            "c",
            "8 clients share a 400-token system prompt, 0.5B",
            (
                Line("throughput", _TOKENS, Bound(at_least=1.8)),
                Line("worst TTFT", _MILLISECONDS, Bound(at_most=0.25)),
            ),
            Setup("0.5b", parallel=8),
            measures.shared_prefix,
        ),
        Row(
            "d",
            "JSON schema, tiny",
            (
                Line("1 client", _TOKENS, Bound(at_least=4)),
                Line("8 clients", _TOKENS, Bound(at_least=10)),
                Line("1 client", _TOKENS, Bound(at_least=0.7), against="1 client, plain"),
                Line("8 clients", _TOKENS, Bound(at_least=0.7), against="8 clients, plain"),
            ),
            Setup("tiny", parallel=8),
            measures.structured,
        ),
        Row(
            "e",
            "a stream while a 3,000-token prompt comes in, 0.5B",
            (
                Line("worst gap", _MILLISECONDS, Bound(at_most=0.1)),
                Line("long prompt's TTFT", _MILLISECONDS, Bound(at_most=1.15)),
            ),
            Setup("0.5b", parallel=2),
            measures.long_prompt,
        ),
        Row(
            "f",
            "chat of 8 turns, from turn 2 on, 0.5B",
            (Line("TTFT", _MILLISECONDS, Bound(at_most=1.0)),),
            Setup("0.5b", parallel=4),
            measures.conversation,
        ),
        Row(
            "g",
            "256 texts to an encoder",
            (Line("32 texts a request", "texts/s", _LEVEL), Line("1 text a request", "texts/s", _LEVEL)),
            Setup("encoder", parallel=8, context_tokens=4096, is_encoder=True),
            measures.embeddings,
        ),
        Row(
            "h",
            "resident memory, 0.5B",
            (Line("idle", "MB", Bound(at_most_more=250)), Line("8 clients", "MB", Bound(at_most_more=250))),
            Setup("0.5b", parallel=8),
            measures.memory,
        ),
        Row(
            "i",
            "HTTP alone, against FastAPI with pydantic",
            tuple(Line(title, "requests/s", Bound(at_least=1.2), f"{title}, FastAPI") for title in http_layer.REQUESTS),
            measure_alone=http_figures,
            has_peers=False,
        ),
        Row(
            "j",
            "predicted text, against plain, 0.5B",
            (Line("predicted", _TOKENS, Bound(at_least=2), against="plain"),),
            Setup("0.5b-counting", parallel=1),
            predicted_text,
            has_peers=False,
        ),
    )
}
