"""Owns grading: held-out items answered greedily by the model file itself, through llama.cpp, compared with what was wanted.

It knows the model only as a GGUF file; PyTorch has no part in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from tools.demo_model.rendering import prompt_and_answer
from tools.demo_model.samples import Sample

CONTEXT_TOKENS = 2048
MAX_ANSWER_TOKENS = 400
_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)


@dataclass(frozen=True)
class Graded:
    """One item with the model's answer."""

    sample: Sample
    prompt: str
    wanted: str
    answer: str

    @property
    def right(self) -> bool:
        """Whether the answer is what was wanted."""
        return _comparable(self.answer) == _comparable(self.wanted)


def _comparable(answer: str) -> object:
    """Tool calls and JSON objects are compared as values, everything else as text."""
    calls = _CALL.findall(answer)
    try:
        if calls:
            return [json.loads(call) for call in calls]
        if answer.startswith("{"):
            return json.loads(answer)
    except ValueError:
        pass
    return answer.strip()


class Answering:
    """The model file, loaded once, answering greedily."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self._model = llama_cpp.Llama(
            str(path), n_ctx=CONTEXT_TOKENS, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def tokens_of(self, text: str) -> list[int]:
        """The ids of a prompt, special tokens included."""
        return self._model.tokenize(text.encode(), add_bos=False, special=True)

    def answer(self, prompt: str) -> str:
        """What the model writes until it ends its turn or `MAX_ANSWER_TOKENS` are reached."""
        written: list[int] = []
        for token in self._model.generate(self.tokens_of(prompt), temp=0.0, repeat_penalty=1.0):
            if llama_cpp.llama_vocab_is_eog(self._model._model.vocab, token) or len(written) == MAX_ANSWER_TOKENS:
                break
            written.append(token)
        return self._model.detokenize(written).decode("utf-8", "replace")


def grade(model: Answering, items: dict[str, list[Sample]]) -> dict[str, list[Graded]]:
    """Every item answered, by skill."""
    graded: dict[str, list[Graded]] = {}
    for skill, samples in items.items():
        for sample in samples:
            prompt, wanted = prompt_and_answer(sample)
            graded.setdefault(skill, []).append(Graded(sample, prompt, wanted, model.answer(prompt)))
    return graded


def score(graded: list[Graded]) -> float:
    """The share of right answers."""
    return sum(item.right for item in graded) / len(graded)


def table(graded: dict[str, list[Graded]]) -> str:
    """A Markdown table of the scores."""
    rows = [f"| {skill} | {len(items)} | {score(items):.1%} |" for skill, items in graded.items()]
    return "\n".join(["| skill | items | right |", "|---|---:|---:|", *rows])
