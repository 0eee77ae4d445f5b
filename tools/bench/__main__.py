"""`python -m tools.bench [NAME=]URL ...`: the same load on one or several OpenAI-compatible servers, one after the other.

Owns the command line. With several rounds the servers take turns, so that a change of the machine's speed meets all of them.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.bench.client import Client, ServerUnusable
from tools.bench.load import Round, in_event_loop, prompt_scale, run_round
from tools.bench.report import table
from tools.bench.summary import Figures, summarize
from tools.bench.workload import EXAMPLE_SCHEMA, Requests, Workload


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools.bench", description="Measure OpenAI-compatible servers under load.")
    parser.add_argument(
        "servers", nargs="+", metavar="[NAME=]URL", type=_server, help="base URL; /v1 is added to a bare one"
    )
    parser.add_argument("--model", help="default: the first that each server lists")
    parser.add_argument("--clients", type=int, default=8, help="requests under way at once")
    parser.add_argument("--requests", type=int, help="in each round (default: four for each client)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--prompt-tokens", type=int, default=108)
    parser.add_argument("--completion-tokens", type=int, default=64)
    parser.add_argument("--shared-prefix-tokens", type=int, default=0, help="a system message that all requests share")
    parser.add_argument(
        "--long-prompt-tokens", type=int, default=0, help="one more, long prompt while the others stream"
    )
    parser.add_argument("--no-stream", dest="stream", action="store_false")
    parser.add_argument(
        "--schema", nargs="?", const="", metavar="FILE", help="JSON answers (default schema: a nested one)"
    )
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument(
        "--no-ignore-eos", dest="ignore_eos", action="store_false", help="for servers that refuse ignore_eos"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--api-key")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there")
    return parser.parse_args(argv)


def _server(text: str) -> tuple[str, str]:
    """Name and base URL."""
    match = re.fullmatch(r"(?:([\w.-]+)=)?(https?://[^\s/]+)(/\S*?)?/?", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no http(s) URL")
    name, origin, path = match.groups()
    return name or origin.partition("://")[2], origin + (path or "/v1")


def _workload(arguments: argparse.Namespace) -> Workload:
    schema = arguments.schema
    return Workload(
        clients=arguments.clients,
        requests=arguments.requests or 4 * arguments.clients,
        prompt_tokens=arguments.prompt_tokens,
        completion_tokens=arguments.completion_tokens,
        shared_prefix_tokens=arguments.shared_prefix_tokens,
        long_prompt_tokens=arguments.long_prompt_tokens,
        stream=arguments.stream,
        schema=None if schema is None else json.loads(Path(schema).read_text("utf-8")) if schema else EXAMPLE_SCHEMA,
        sampling={"temperature": arguments.temperature},
        ignore_eos=arguments.ignore_eos,
        seed=arguments.seed,
    )


async def measure(
    servers: Sequence[tuple[str, str]],
    workload: Workload,
    *,
    rounds: int = 1,
    model: str | None = None,
    api_key: str | None = None,
) -> dict[str, Figures]:
    """The figures of each server, by name. The first one's tokenizer decides how long the prompts are, for all."""
    async with AsyncExitStack() as stack:
        clients: dict[str, Client] = {}
        for name, url in servers:
            clients[name] = await stack.enter_async_context(Client(url, api_key=api_key))
        models = {name: model or await client.first_model() for name, client in clients.items()}
        scales = [await prompt_scale(client, models[name]) for name, client in clients.items()]
        results: dict[str, list[Round]] = {name: [] for name in clients}
        for number in range(rounds):
            for name, client in clients.items():
                requests = Requests(workload, scales[0], models[name], round_number=number)
                results[name].append(await run_round(client, workload, requests))
    return {name: summarize(result) for name, result in results.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if any request failed, 2 if a server cannot be measured."""
    arguments = _arguments(argv)
    workload = _workload(arguments)
    try:
        figures = in_event_loop(
            measure(
                arguments.servers, workload, rounds=arguments.rounds, model=arguments.model, api_key=arguments.api_key
            )
        )
    except ServerUnusable as error:
        print(error, file=sys.stderr)
        return 2
    print(table(figures))
    if arguments.json:
        document: dict[str, Any] = {"workload": asdict(workload), "rounds": arguments.rounds, "servers": figures}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 1 if any(one["failed"] for one in figures.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
