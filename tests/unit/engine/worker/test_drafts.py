"""What is guessed of an answer that repeats the prompt, itself, or a predicted text with changes."""

from hypothesis import given
from hypothesis import strategies as st

from engine.worker.drafts import GramIndex, Prediction, PromptLookup

TOKENS = st.lists(st.integers(0, 4), max_size=40)


def lookup(prompt):
    return PromptLookup(prompt, PromptLookup.index(prompt))


def prediction(predicted, prompt=(9,)):
    return Prediction(predicted, Prediction.index(predicted), prompt_length=len(prompt))


def accepted_alone(drafter, prompt, answer, at_most=8):
    """How many tokens of an answer were guessed right before they were said, and steps it took."""
    known, steps = list(prompt), 0
    right = 0
    while len(known) < len(prompt) + len(answer):
        rest = answer[len(known) - len(prompt) :]
        guess = drafter.draft(known, at_most)
        agreed = next(
            (n for n, (a, b) in enumerate(zip(guess, rest, strict=False)) if a != b), min(len(guess), len(rest))
        )
        known += rest[: agreed + 1]
        right += agreed
        steps += 1
    return right, steps


def test_what_followed_the_same_three_tokens_before_is_guessed_again():
    assert list(lookup([1, 2, 3, 4, 5, 6, 1, 2, 3]).draft([1, 2, 3, 4, 5, 6, 1, 2, 3], 2)) == [4, 5]


def test_the_last_of_several_places_counts():
    prompt = [1, 2, 3, 4, 1, 2, 3, 5, 0, 1, 2, 3]
    assert list(lookup(prompt).draft(prompt, 1)) == [5]


def test_nothing_is_guessed_of_what_was_never_said():
    assert list(lookup([1, 2, 3, 4, 5]).draft([1, 2, 3, 4, 5], 4)) == []


def test_a_text_that_repeats_itself_is_guessed_beyond_its_end():
    prompt = [7, 8, 7, 8, 7, 8]
    assert list(lookup(prompt).draft(prompt, 5)) == [7, 8, 7, 8, 7]


def test_what_stands_for_a_picture_is_never_guessed_and_ends_a_guess():
    picture = [-(1 << 62), -5, -7]
    prompt = [1, 2, 3, 4, *picture, 1, 2, 3]
    assert list(lookup(prompt).draft(prompt, 5)) == [4]
    assert list(lookup([1, 2, 3, *picture, 1, 2, 3]).draft([1, 2, 3, *picture, 1, 2, 3], 5)) == []


def test_text_behind_a_picture_is_looked_up_and_the_same_picture_alone_tells_nothing():
    picture = [-(1 << 62), -5, -7]
    prompt = [0, *picture, 1, 2, 3, 4, 5, *picture]
    drafter = lookup(prompt)
    assert list(drafter.draft(prompt, 2)) == [1, 2]
    assert list(drafter.draft([*prompt, 9, 1, 2, 3], 2)) == [4, 5]


def test_the_answer_itself_is_looked_up_too():
    drafter = lookup([0, 0])
    assert list(drafter.draft([0, 0, 1, 2, 3, 4, 5, 1, 2, 3], 2)) == [4, 5]


def test_a_right_prediction_takes_an_answer_in_a_few_steps():
    text = list(range(100, 140))
    assert accepted_alone(prediction(text), [9], text) == (36, 5)


def test_a_replaced_token_costs_one_step():
    text = list(range(100, 140))
    answer = [*text[:20], 7, *text[21:]]
    assert accepted_alone(prediction(text), [9], answer)[1] == accepted_alone(prediction(text), [9], text)[1] + 1


def test_after_an_insertion_and_after_a_deletion_the_prediction_is_met_again():
    text = list(range(100, 160))
    inserted = [*text[:20], 1, 2, 3, *text[20:]]
    deleted = [*text[:20], *text[35:]]
    assert accepted_alone(prediction(text), [9], inserted)[0] >= 50
    assert accepted_alone(prediction(text), [9], deleted)[0] >= 35


def test_of_equal_places_the_next_one_is_meant():
    text = [1, 2, 50, 1, 2, 51, 1, 2, 52]
    drafter = prediction(text)
    drafter.draft([9], 1)
    drafter.draft([9, 1, 2, 50], 1)
    assert list(drafter.draft([9, 1, 2, 50, 8, 8, 8, 1, 2], 1)) == [52]


@given(TOKENS, TOKENS, st.integers(1, 5))
def test_guesses_are_never_longer_than_wanted_whatever_comes(text, answer, at_most):
    for drafter, prompt in ((prediction(text), [9]), (lookup([9, *text]), [9, *text])):
        for length in range(len(answer) + 1):
            assert len(drafter.draft([*prompt, *answer[:length]], at_most)) <= at_most


@given(
    st.lists(st.integers(0, 3), max_size=30), st.lists(st.integers(0, 3), min_size=2, max_size=2), st.integers(0, 30)
)
def test_an_index_finds_what_a_scan_finds(text, run, start):
    index, key = GramIndex(text, 2), run[0] << 21 | run[1]
    ends = [end for end in range(2, len(text) + 1) if text[end - 2 : end] == run]
    assert index.last_end(key) == (ends[-1] if ends else None)
    assert index.next_end(key, start) == (next((e for e in ends if e >= start), ends[-1]) if ends else None)


def test_a_change_within_a_monotonous_text_is_left_behind():
    text = [5] * 20 + [6] + [5] * 20
    assert accepted_alone(prediction(text), [9], [5] * 40)[1] <= 8
