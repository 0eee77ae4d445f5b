"""Owns the comparison of two models' vocabularies. Must not know what they are compared for."""

import llama_cpp

from engine.llama.model import Model


def difference(model: Model, other: Model) -> str | None:
    """Why token ids of one can't stand for those of the other; None where they can.

    Tokens at the end that only one of them has are padding: families pad their sizes' vocabularies differently.
    """
    kinds = [llama_cpp.llama_vocab_type(each.vocab) for each in (model, other)]
    if kinds[0] != kinds[1]:
        return "they are tokenized in different ways"
    for token in range(min(model.vocabulary_size, other.vocabulary_size)):
        texts = [llama_cpp.llama_vocab_get_text(each.vocab, token) for each in (model, other)]
        if texts[0] != texts[1]:
            shown = " and ".join(repr(text.decode("utf-8", "replace")) for text in texts)
            return f"token {token} is {shown}"
    return None
