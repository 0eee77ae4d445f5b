"""Prompts have the length asked for and share nothing but the shared prefix."""

import pytest

from tools.bench.workload import EXAMPLE_SCHEMA, PromptScale, Requests, Workload, scale_from, text_of

SCALE = PromptScale(overhead=8, per_word=2)


def test_the_scale_goes_through_both_probes() -> None:
    scale = scale_from([(20, 60), (220, 560)])
    assert (scale.overhead, scale.per_word) == (10, 2.5)
    assert scale.words(260) == 100
    assert scale.words(250, with_overhead=False) == 100


def test_a_server_that_does_not_count_is_noticed() -> None:
    with pytest.raises(ValueError, match="60 tokens for 20 words but 60 for 220"):
        scale_from([(20, 60), (220, 60)])


def test_prompts_differ_from_the_first_word_on_and_between_rounds() -> None:
    workload = Workload(prompt_tokens=108)
    bodies = [Requests(workload, SCALE, "m", round_number=number).body(index) for number in (0, 1) for index in (0, 1)]
    texts = [body["messages"][0]["content"] for body in bodies]
    assert len({text.split()[:4].__repr__() for text in texts}) == 4
    assert all(len(text.split()) == 50 for text in texts)


def test_the_shared_prefix_is_the_same_in_every_request_of_a_round() -> None:
    requests = Requests(Workload(shared_prefix_tokens=400), SCALE, "m")
    first, second, long_prompt = requests.body(0), requests.body(1), requests.long_prompt_body()
    assert first["messages"][0] == second["messages"][0] == long_prompt["messages"][0]
    assert len(first["messages"][0]["content"].split()) == 200


def test_bodies_ask_for_what_the_workload_says() -> None:
    streamed = Requests(Workload(completion_tokens=64), SCALE, "m").body(0)
    assert streamed["max_tokens"] == 64
    assert streamed["ignore_eos"] is True
    assert streamed["stream_options"] == {"include_usage": True}
    whole = Requests(Workload(stream=False, schema=EXAMPLE_SCHEMA), SCALE, "m").body(0)
    assert whole["stream"] is False
    assert "stream_options" not in whole
    assert "ignore_eos" not in whole
    assert whole["response_format"]["json_schema"]["schema"] == EXAMPLE_SCHEMA


def test_the_same_seed_gives_the_same_words() -> None:
    assert text_of(30, "a") == text_of(30, "a") != text_of(30, "b")
