"""Vocabularies of realistic size for the benchmark's random models: every byte, random word pieces of plausible spelling, special tokens.

Owns what the pieces look like. Must not know tensors or model shapes.
"""

import random
import string
from collections.abc import Sequence
from dataclasses import dataclass, field

CONTROL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
VISIBLE_SPECIAL_TOKENS = ("<tool_call>", "</tool_call>")
WORD_PIECE_SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
_LETTER_WEIGHTS = [2 ** (-rank / 6) for rank in range(len(_LETTERS))]
_MAX_PIECE_CHARACTERS = 12


@dataclass(frozen=True)
class Vocabulary:
    """Tokens in the spelling that GGUF files use; `merges` are pairs of tokens separated by a space, most frequent first."""

    tokens: list[str]
    merges: list[str] = field(default_factory=list)
    control: frozenset[str] = frozenset()
    user_defined: frozenset[str] = frozenset()

    def id_of(self, token: str) -> int:
        """The id of a token that is there."""
        return self.tokens.index(token)


def byte_level_bpe(size: int, seed: int, control: Sequence[str] = CONTROL_TOKENS) -> Vocabulary:
    """A byte-level byte-pair vocabulary of `size` tokens, as Qwen and LLaMA 3 have it, with tokens for chat, tools and infill."""
    alphabet = _printable_bytes()
    special = (*VISIBLE_SPECIAL_TOKENS, *control)
    merges = _merges(size - len(alphabet) - len(special), alphabet[ord(" ")], random.Random(seed))
    tokens = [*alphabet, *("".join(pair) for pair in merges), *special]
    return Vocabulary(
        tokens, [" ".join(pair) for pair in merges], frozenset(control), frozenset(VISIBLE_SPECIAL_TOKENS)
    )


def countable_words(size: int) -> Vocabulary:
    """A byte-level vocabulary whose tokens beyond the bytes are ` a` to ` z`, ` aa` to ` zz`, and so on, in that order.

    Each is made from the one that it begins with, by one letter more, and by nothing else: any series of these words is cut into just
    these tokens again. The bytes come last, but for the special tokens, so that who counts on from a line break begins at the first word.
    """
    alphabet = _printable_bytes()
    line_break = alphabet[ord("\n")]
    others = [character for character in alphabet if character != line_break]
    special = (*VISIBLE_SPECIAL_TOKENS, *CONTROL_TOKENS)
    stems = [alphabet[ord(" ")]]
    merges: list[tuple[str, str]] = []
    for stem in stems:  # grows while it is read
        if len(merges) >= size - len(alphabet) - len(special):
            break
        merges += [(stem, letter) for letter in string.ascii_lowercase]
        stems += ["".join(pair) for pair in merges[-len(string.ascii_lowercase) :]]
    del merges[size - len(alphabet) - len(special) :]
    tokens = [line_break, *("".join(pair) for pair in merges), *others, *special]
    return Vocabulary(
        tokens, [" ".join(pair) for pair in merges], frozenset(CONTROL_TOKENS), frozenset(VISIBLE_SPECIAL_TOKENS)
    )


def word_piece(size: int, seed: int) -> Vocabulary:
    """A word-piece vocabulary of `size` tokens as GGUF files of BERT models have it: `▁` marks the beginning of a word."""
    draw = random.Random(seed)
    characters = [chr(code) for code in range(0x21, 0x7F)]
    pieces = dict.fromkeys([*WORD_PIECE_SPECIAL_TOKENS, *characters, *(f"▁{character}" for character in characters)])
    while len(pieces) < size:
        word = "".join(draw.choices(_LETTERS, _LETTER_WEIGHTS, k=draw.randint(2, 8)))
        pieces[draw.choice(("▁", "▁", "")) + word] = None
    return Vocabulary(list(pieces), control=frozenset(WORD_PIECE_SPECIAL_TOKENS))


def _printable_bytes() -> list[str]:
    """The 256 bytes as the printable characters that byte-level vocabularies write them as (GPT-2's table)."""
    kept = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    shifted = iter(range(0x100, 0x200))
    return [chr(byte if byte in kept else next(shifted)) for byte in range(256)]


def _merges(count: int, space: str, draw: random.Random) -> list[tuple[str, str]]:
    """`count` merges of earlier pieces into new ones, short pieces of frequent letters first."""
    pieces = [space, *_LETTERS]
    seen = set(pieces)
    merges: list[tuple[str, str]] = []
    while len(merges) < count:
        left, right = _frequent(pieces, draw), _frequent(pieces, draw)
        piece = left + right
        if piece not in seen and len(piece) <= _MAX_PIECE_CHARACTERS and space not in right:
            seen.add(piece)
            pieces.append(piece)
            merges.append((left, right))
    return merges


def _frequent(pieces: list[str], draw: random.Random) -> str:
    """A piece, the earlier the likelier."""
    return pieces[int(len(pieces) * draw.random() ** 2)]
