"""Grade the demo model on held-out items, a score per skill.

    python -m tools.evaluate_demo_model [--model FILE.gguf] [--per-skill N] [--wrong N] [--skill NAME ...]

The items are fresh: their sums, words, wordings, tools or results occur in no training sample. Answers are greedy and must match exactly;
tool calls and JSON are compared as values.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tools.demo_model.corpus import evaluation_items
from tools.demo_model.evaluation import Answering, Graded, grade, score, table

BUNDLED = Path(__file__).parent.parent / "engine" / "bundled" / "trueline-demo.gguf"


def main() -> None:
    """Grade the model and print what went wrong and the scores."""
    options = _options()
    items = evaluation_items(options.seed, options.per_skill, frozenset(options.skill) or None)
    graded = grade(Answering(options.model), items)
    for skill, results in graded.items():
        _show_wrong(skill, results, options.wrong)
    print(table(graded))
    print(f"\nmean over {len(graded)} skills: {sum(map(score, graded.values())) / len(graded):.1%}")


def _show_wrong(skill: str, results: list[Graded], count: int) -> None:
    for item in [item for item in results if not item.right][:count]:
        print(f"--- {skill}\n{item.prompt}\n    wanted: {item.wanted!r}\n    answer: {item.answer!r}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=BUNDLED)
    parser.add_argument("--per-skill", type=int, default=40)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--wrong", type=int, default=0, help="wrong answers to show per skill")
    parser.add_argument("--skill", action="append", default=[], help="grade only this skill; repeatable")
    return parser.parse_args()


if __name__ == "__main__":
    main()
