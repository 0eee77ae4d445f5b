"""The model's vocabulary: long texts have the same tokens as llama.cpp gives them in one piece, and in bounded time."""

import random
import time

import pytest

from engine.llama.segments import SEGMENT_CHARACTERS

PIECES = ["<|im_start|>", "<|im_end|>", "<tool_call>", "<", "|>", " ", "\n", "hello", " world", "é", "😀"]


@pytest.mark.parametrize("parse_special", [True, False])
@pytest.mark.parametrize("add_special", [True, False])
def test_a_long_text_has_the_tokens_that_it_has_in_one_piece(shared_worker, parse_special, add_special):
    model = shared_worker.model
    text = "".join(random.Random(4).choices(PIECES, k=SEGMENT_CHARACTERS))
    in_one_piece = model._tokenize(text, add_special, parse_special)
    assert model.tokenize(text, add_special=add_special, parse_special=parse_special) == in_one_piece


def test_a_text_of_control_tokens_is_tokenized_in_linear_time(shared_worker):
    begun = time.thread_time()
    tokens = shared_worker.model.tokenize("<|im_start|>" * 40_000, add_special=False, parse_special=True)
    assert len(tokens) == 40_000
    assert time.thread_time() - begun < 2, "llama.cpp alone takes seven seconds"
