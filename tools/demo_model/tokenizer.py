"""Owns the vocabulary: a byte-level BPE in GPT-2's form, learned here from the words of the corpus.

Three choices make a small model's life easier. Digits never merge. A space is a token of its own before every word that may have to be
copied, so that ` Paris`, `"Paris` and `Paris` are the same token; only function words swallow it. Tags of the tool format are whole tokens.
It knows neither the network nor the model file.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tools.demo_model import world
from tools.demo_model.rendering import TEXT_END, TURN_END, TURN_START
from tools.demo_model.skills.texts import FIM_MIDDLE, FIM_PREFIX, FIM_SUFFIX

CONTROL_TOKENS = (TEXT_END, TURN_START, TURN_END, FIM_PREFIX, FIM_SUFFIX, FIM_MIDDLE)
"""Never printed into an answer."""
TAG_TOKENS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<tools>", "</tools>")
"""Whole tokens that are text: an answer shows them."""

WORD_MERGES = 1066
FUNCTION_WORDS = 190
RARE_WORD = 6
"""Words seen less often are invented ones mostly: they count little, or their syllables would fill the vocabulary."""
_SPACE = "Ġ"
_PUNCTUATION_MERGES = (
    *(
        ('"', ":"),
        ('"', ","),
        ("{", '"'),
        ('"', "}"),
        (_SPACE, '"'),
        (_SPACE, '{"'),
        ('"}', "}"),
        ("}", "}"),
        ('"}', ","),
    ),
    *((_SPACE, "="), (_SPACE, "+"), (_SPACE, "-")),
)

Merge = tuple[str, str]


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the order of their ids, in GPT-2's printable spelling, and the merges in the order of their rank."""

    tokens: tuple[str, ...]
    merges: tuple[Merge, ...]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps({"tokens": self.tokens, "merges": self.merges}, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Read what `save` wrote."""
        stored = json.loads(path.read_text("utf-8"))
        return cls(tuple(stored["tokens"]), tuple((left, right) for left, right in stored["merges"]))


def byte_spellings() -> list[str]:
    """GPT-2's printable character for each byte: printable bytes stand for themselves, the others move up."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(moved)) for byte in range(256)]


def learn(texts: Iterable[str]) -> Vocabulary:
    """Learn the vocabulary from training texts; the same texts always give the same vocabulary."""
    words: Counter[str] = Counter()
    spaced: Counter[str] = Counter()
    special = re.compile("|".join(re.escape(token) for token in (*CONTROL_TOKENS, *TAG_TOKENS)))
    for text in (special.sub("\n", text) for text in texts):
        words.update(re.findall(r"[A-Za-z]+", text))
        spaced.update(re.findall(r" ([A-Za-z]+)", text))
    word_merges = _learn_merges(words)
    whole = {left + right for left, right in word_merges} | set("aAI")
    functional = [word for word, _ in spaced.most_common() if word in whole and word.lower() not in _copied_words()]
    merges = (*word_merges, *_PUNCTUATION_MERGES, *((_SPACE, word) for word in functional[:FUNCTION_WORDS]))
    tokens = (*byte_spellings(), *(left + right for left, right in merges), *CONTROL_TOKENS, *TAG_TOKENS)
    return Vocabulary(tokens, merges)


def _copied_words() -> set[str]:
    """Words that answers copy from anywhere: they keep their space apart."""
    named = (world.PEOPLE, world.CITIES, world.JOBS, world.TITLES, world.DAYS, world.MONTHS, *world.CATEGORIES.values())
    lists = (world.NOUNS, world.ADJECTIVES, world.VERBS, *named)
    answers = (world.COLOURS, world.OPPOSITES, world.SOUNDS, world.PLURALS, world.CAPITALS)
    return {word.lower() for words in (*lists, *(facts.values() for facts in answers)) for word in words}


def _learn_merges(words: Counter[str]) -> list[Merge]:
    """Merge the most frequent neighbours again and again; the root of a word's frequency keeps rare words in sight."""
    pieces = {word: list(word) for word in sorted(words)}
    weights = {word: count**0.5 if count >= RARE_WORD else 0.1 for word, count in words.items()}
    merges: list[Merge] = []
    while len(merges) < WORD_MERGES:
        pairs: defaultdict[Merge, float] = defaultdict(float)
        for word, parts in pieces.items():
            for pair in pairwise(parts):
                pairs[pair] += weights[word]
        best = max(pairs, key=lambda pair: (round(pairs[pair], 6), pair))
        merges.append(best)
        pieces = {word: _merged(parts, best) for word, parts in pieces.items()}
    return merges


def _merged(parts: list[str], pair: Merge) -> list[str]:
    if pair[0] not in parts:
        return parts
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return joined
