"""`python -m tools.schema_suite DIRECTORY`: what of the public JSON-Schema-Test-Suite generation keeps to.

DIRECTORY is the suite's `tests/draft2020-12`. Each schema is compiled as for an answer; each instance, written compactly, is fed to it
token by token. Fails if an invalid instance is taken: then an answer could be wrong.
Owns the count; must not know how a schema is enforced.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from engine import BUNDLED_MODEL
from engine.llama.constraint import Constraint, ConstraintCompiler
from engine.llama.json_schemas import SchemaUnsupported
from engine.llama.model import Model


class Tally:
    """What became of the suite's schemas and instances."""

    def __init__(self) -> None:
        self.schemas = Counter[str]()
        self.refusals = Counter[str]()
        self.instances = Counter[tuple[bool, bool]]()  # valid, taken
        self.not_taken = Counter[str]()
        self.wrong: list[str] = []

    def note_instance(self, where: str, *, valid: bool, taken: bool) -> None:
        """An instance that the suite calls valid or not was taken or not."""
        self.instances[valid, taken] += 1
        if taken and not valid:
            self.wrong.append(where)
        if valid and not taken:
            self.not_taken[where.partition(":")[0]] += 1

    def lines(self) -> Iterator[str]:
        """The figures, and what is behind them."""
        kept, refused = self.schemas["kept"], self.schemas["refused"]
        yield f"schemas: {kept} of {kept + refused} are kept, {refused} refused"
        for reason, count in self.refusals.most_common():
            yield f"    {count:3} {reason}"
        invalid = self.instances[False, False] + self.instances[False, True]
        valid = self.instances[True, True] + self.instances[True, False]
        yield f"invalid instances: {self.instances[False, False]} of {invalid} can't be generated"
        yield from (f"    WRONG: {where}" for where in self.wrong)
        yield f"valid instances: {self.instances[True, True]} of {valid} can be generated, as they stand there"
        yield from (f"    {count:3} not, in {name}" for name, count in self.not_taken.most_common())


def main(directory: Path) -> int:
    """Print the count; the exit status is 1 if an invalid instance was taken."""
    tally = Tally()
    with Model(BUNDLED_MODEL) as model:
        compiler = ConstraintCompiler(model)
        for file in sorted(directory.glob("*.json")):
            for group in json.loads(file.read_text()):
                _count(model, compiler, f"{file.name}: {group['description']}", group, tally)
    print("\n".join(tally.lines()))
    return 1 if tally.wrong else 0


def _count(model: Model, compiler: ConstraintCompiler, where: str, group: dict[str, Any], tally: Tally) -> None:
    if isinstance(group["schema"], bool):
        return  # the APIs take objects only
    try:
        constraint = compiler.json(json.dumps(group["schema"]))
    except SchemaUnsupported as error:
        tally.schemas["refused"] += 1
        tally.refusals[_kind(str(error))] += 1
        return
    tally.schemas["kept"] += 1
    for test in group["tests"]:
        taken = _takes(model, constraint, test["data"])
        tally.note_instance(f"{where}: {test['description']}", valid=test["valid"], taken=taken)


def _takes(model: Model, constraint: Constraint, instance: Any) -> bool:
    text = json.dumps(instance, ensure_ascii=False, separators=(",", ":"))
    return constraint.takes(model.tokenize(text, add_special=False, parse_special=False))


def _kind(refusal: str) -> str:
    """A refusal without what only this schema has: the last keyword of a path stands for all of it."""
    place, _, reason = refusal.partition("` ")
    return f"{place.rpartition('.')[2]}: {reason.partition(':')[0]}" if reason else refusal.partition(":")[0]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
