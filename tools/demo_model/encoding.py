"""Owns turning training texts into ids, through the `tokenizers` library; the model file's reader does the same by itself."""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import tokenizers

from tools.demo_model.tokenizer import CONTROL_TOKENS, TAG_TOKENS, Vocabulary


class Encoder:
    """Text to ids, the special tokens among it included."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        ids = {token: at for at, token in enumerate(vocabulary.tokens)}
        self._tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(ids, list(vocabulary.merges)))
        self._tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        self._tokenizer.add_special_tokens(list(CONTROL_TOKENS))
        self._tokenizer.add_tokens([tokenizers.AddedToken(tag, normalized=False) for tag in TAG_TOKENS])
        self.ids = ids

    def __call__(self, text: str) -> list[int]:
        """The ids of a text, exactly as llama.cpp finds them."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
