"""A mask leaves the logits of the tokens with a bit as they are, and rules out all others, however many there are of either."""

import ctypes

import numpy as np
import pytest

from engine.llama.token_mask import TokenMask

VOCABULARY = 50_001


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.5, 0.99, 0.9999, 1.0])
def test_only_the_allowed_tokens_keep_their_logits(share):
    generator = np.random.default_rng(7)
    allowed = generator.random(VOCABULARY) < share
    logits = generator.normal(size=VOCABULARY).astype(np.float32)
    mask = TokenMask(VOCABULARY)
    bits = np.packbits(allowed, bitorder="little").tobytes()
    ctypes.memmove(mask.address, bits, len(bits))
    expected = np.where(allowed, logits, -np.inf)
    mask.apply(logits)
    np.testing.assert_array_equal(logits, expected)
