"""`python -m tools.bench.ceiling`: how fast the load generator itself is.

Owns one measurement: the generator against a server that answers at once. A real server's figures mean something as long as they stay
well below these, and the generator's share of a core is small.
"""

import sys
import tempfile
from pathlib import Path

from tools.bench.__main__ import measure
from tools.bench.http_layer import served
from tools.bench.load import in_event_loop
from tools.bench.report import table
from tools.bench.workload import Workload


def main() -> int:
    """Measure and print, for one client and for many."""
    figures = {}
    with tempfile.TemporaryDirectory() as directory, served("instant", Path(directory)) as (port, _):
        for clients in (1, 8, 64):
            workload = Workload(clients=clients, requests=100, completion_tokens=500)
            measured = in_event_loop(measure([("instant", f"http://127.0.0.1:{port}/v1")], workload))
            figures[f"{clients} clients"] = measured["instant"]
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
