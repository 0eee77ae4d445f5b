"""The prompt part of a step goes to all tenants alike, to short prompts first, and always in part to the oldest."""

from hypothesis import given
from hypothesis import strategies as st

from engine.worker.prompt_shares import PromptShare, share_out


def own(*left):
    return [PromptShare("", tokens) for tokens in left]


def test_a_single_prompt_gets_all():
    assert share_out(64, own(3000)) == [64]


def test_what_has_least_left_goes_first_and_the_oldest_always_gets_something():
    assert share_out(64, own(3000, 40)) == [24, 40]
    assert share_out(64, own(3000, 100, 60)) == [16, 0, 48]


def test_equal_prompts_are_computed_one_after_the_other():
    assert share_out(64, own(60, 60, 60)) == [60, 4, 0]


def test_tenants_get_equal_parts_however_many_prompts_each_has():
    many = [PromptShare("a", 100) for _ in range(7)]
    given = share_out(64, [*many, PromptShare("b", 500)])
    assert (sum(given[:7]), given[7]) == (32, 32)


def test_what_one_tenant_does_not_need_goes_to_the_others():
    assert share_out(64, [PromptShare("a", 500), PromptShare("b", 10)]) == [54, 10]


@given(st.integers(0, 600), st.lists(st.builds(PromptShare, st.sampled_from("abc"), st.integers(1, 400)), max_size=12))
def test_the_room_is_used_and_nobody_gets_more_than_is_left(room, prompts):
    given = share_out(room, prompts)
    assert sum(given) == min(room, sum(prompt.left_tokens for prompt in prompts))
    assert all(0 <= count <= prompt.left_tokens for count, prompt in zip(given, prompts, strict=True))
