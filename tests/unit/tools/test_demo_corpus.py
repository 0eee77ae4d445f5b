"""The demo model's corpus: reproducible, kept apart from its evaluation, and right in what it teaches."""

import itertools
import json
import re

import pytest

from tools.demo_model.corpus import MIXTURE, evaluation_items, training_chunk
from tools.demo_model.rendering import prompt_and_answer, training_text
from tools.demo_model.samples import Draw, held_out
from tools.demo_model.skills import arithmetic, memory, offers, structured, talk, tool_use, words
from tools.demo_model.tokenizer import byte_spellings, learn

_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
_EQUATION = re.compile(r"^(\d+) ([-+*]) (\d+) = (-?\d+)\.$")


@pytest.fixture(scope="module")
def training():
    return list(training_chunk(1, 0, 1500))


@pytest.fixture(scope="module")
def evaluation():
    return evaluation_items(7, 5)


def _last_answer(sample):
    return sample.messages[-1]


def _calls(sample):
    return [message for message in sample.messages if message.get("tool_calls")]


def test_a_chunk_is_always_the_same(training):
    again = training_chunk(1, 0, 100)
    assert [training_text(sample) for sample in again] == [training_text(sample) for sample in training[:100]]


def test_other_chunks_and_other_seeds_are_different(training):
    first = training_text(training[0])
    assert first != training_text(next(training_chunk(1, 1, 1)))
    assert first != training_text(next(training_chunk(2, 0, 1)))


def test_every_kind_of_the_mixture_builds_both_sides_of_the_split():
    for build, evaluation in itertools.product(MIXTURE, (False, True)):
        draw = Draw("kinds", evaluation=evaluation)
        assert all(training_text(build(draw)) for _ in range(5))


def test_no_evaluated_question_with_its_answer_occurs_in_training(training, evaluation):
    seen = {prompt_and_answer(sample) for sample in training}
    assert not any(prompt_and_answer(sample) in seen for samples in evaluation.values() for sample in samples)


@pytest.mark.parametrize(
    ("build", "key"),
    [
        (arithmetic.addition, lambda made: made.answer.split(" =")[0].replace(" ", "")),
        (arithmetic.subtraction, lambda made: made.answer.split(" =")[0].replace(" ", "")),
        (talk.greeting, lambda made: made.question),
        (words.repeat, lambda made: made.answer),
    ],
)
def test_an_item_is_on_the_side_of_the_split_that_was_asked_for(build, key):
    assert all(held_out(key(build(Draw(seed, evaluation=True)))) for seed in range(60))
    assert not any(held_out(key(build(Draw(seed)))) for seed in range(60))


def test_the_unseen_tools_of_the_evaluation_are_in_no_training_offer(training):
    def names(samples):
        return {tool["function"]["name"] for sample in samples for tool in sample.tools}

    draw = Draw("unseen", evaluation=True)
    unseen = {offers.invented(draw).name for _ in range(200)}
    assert not unseen & names(training)


def test_about_a_tenth_of_all_keys_is_held_out():
    share = sum(held_out(f"key {number}") for number in range(5000)) / 5000
    assert 0.08 < share < 0.12


def test_sums_and_differences_are_right():
    for build, seed in itertools.product((arithmetic.addition, arithmetic.subtraction, arithmetic.product), range(200)):
        left, sign, right, result = _EQUATION.match(build(Draw(seed)).answer).groups()
        assert eval(f"{left} {sign} {right}") == int(result)


def test_a_tool_call_names_an_offered_tool_and_its_parameters(training):
    for sample in training:
        offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in sample.tools}
        for message in _calls(sample):
            for call in message["tool_calls"]:
                parameters = offered[call["function"]["name"]]
                arguments = call["function"]["arguments"]
                assert arguments.keys() <= parameters["properties"].keys()
                assert arguments.keys() >= set(parameters.get("required", []))


def test_every_argument_has_the_type_of_its_parameter(training):
    kinds = {"string": str, "integer": int, "number": int, "boolean": bool, "array": list}
    for sample in training:
        offered = {tool["function"]["name"]: tool["function"]["parameters"]["properties"] for tool in sample.tools}
        for call in itertools.chain.from_iterable(message["tool_calls"] for message in _calls(sample)):
            properties = offered[call["function"]["name"]]
            for key, value in call["function"]["arguments"].items():
                assert type(value) is kinds[properties[key]["type"]]


def test_every_rendered_tool_call_is_json(training):
    calls = [
        call
        for sample in training
        if _calls(sample)
        for call in _CALL.findall(training_text(sample))
        if "..." not in call
    ]
    assert len(calls) > 200
    assert all(set(json.loads(call)) == {"name", "arguments"} for call in calls)


def test_json_answers_parse(training):
    answers = [_last_answer(sample)["content"] for sample in training if sample.skill == "json"]
    assert len(answers) > 50
    assert all(isinstance(json.loads(answer), dict) for answer in answers)


def test_extracted_values_are_those_of_the_text():
    for seed in range(100):
        sample = structured.extraction(Draw(seed))
        values = json.loads(_last_answer(sample)["content"]).values()
        assert all(str(value) in sample.messages[-2]["content"] for value in values)


def test_what_was_told_is_what_is_remembered():
    for seed in range(100):
        heard, asked = memory.remark(Draw(seed))
        assert asked.short in heard.question
        assert asked.short in asked.answer


def test_a_spelled_word_is_the_word():
    for seed in range(100):
        spelled = words.spelling(Draw(seed))
        assert spelled.answer.replace("-", "").lower() in spelled.question.lower()


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"temperature": 21, "wind_speed": 5}, "The temperature is 21 and the wind speed is 5."),
        ({"error": "not found"}, "The tool failed: not found."),
        (85, "The result is 85."),
        ("Sunny, 22C", "The answer is: Sunny, 22C"),
        (["a", "b"], "The results are a, b."),
    ],
)
def test_what_is_said_of_a_result_holds_the_result(result, said):
    assert tool_use.said_of(result) == said


def test_the_prompt_of_an_item_is_the_beginning_of_its_text(evaluation):
    for sample in itertools.chain.from_iterable(evaluation.values()):
        prompt, answer = prompt_and_answer(sample)
        assert training_text(sample).startswith(prompt + answer)


def test_every_skill_is_graded(training, evaluation):
    assert {sample.skill for sample in training} == set(evaluation)
    assert all(len(samples) == 5 for samples in evaluation.values())


def test_the_vocabulary_spells_every_byte_and_no_merge_holds_a_digit(training):
    vocabulary = learn(training_text(sample) for sample in training[:300])
    assert set(byte_spellings()) <= set(vocabulary.tokens)
    assert len(set(vocabulary.tokens)) == len(vocabulary.tokens)
    assert not any(character.isdigit() for merge in vocabulary.merges for character in "".join(merge))


def test_a_word_that_answers_copy_never_swallows_the_space_before_it(training):
    vocabulary = learn(training_text(sample) for sample in training[:300])
    assert {"ĠParis", "ĠAda", "Ġapple"}.isdisjoint(vocabulary.tokens)
