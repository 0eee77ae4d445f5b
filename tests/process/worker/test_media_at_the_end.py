"""A prompt may end with a picture: the answer's first token is drawn from what the model makes of its last vector."""

import msgspec
import pytest

from tests.process.worker.inprocess import InProcess
from tests.process.worker.seeing import SEEING, ask, load_seeing, picture, seen
from tests.process.worker.test_memory_kinds import assert_same, drawn

BARE = "{{ messages[0].content }}"
"""A template that puts nothing behind what is said."""


def bare(*parts, **changes):
    asked = ask(*parts, **changes)
    return msgspec.structs.replace(asked, prompt=msgspec.structs.replace(asked.prompt, template=BARE))


@pytest.fixture(params=SEEING)
def kind(request):
    return request.param


@pytest.fixture
def model(media_files, kind):
    with load_seeing(media_files, kind) as worker:
        yield InProcess(worker)


def first_logprob(answer):
    return drawn(answer)[0][0].logprob


def test_the_answer_depends_on_the_picture_and_is_the_same_again(model):
    one, again, other = (model.run(bare("Look: ", seen(picture(n))))[0] for n in (1, 1, 2))
    assert_same(again, one)
    assert first_logprob(one) != pytest.approx(first_logprob(other), abs=0.02)
    assert one.usage.prompt_tokens > one.usage.image_tokens > 0


def test_however_the_picture_is_cut_into_steps_the_answer_is_the_same(media_files, kind):
    asked = bare("Look: ", seen(picture(1, (400, 300))))
    with load_seeing(media_files, kind) as worker:
        (whole,) = InProcess(worker).run(asked)
    with load_seeing(media_files, kind, target_step_seconds=1e-9) as worker:
        model = InProcess(worker)
        model.submit(ask("Just talk. " * 4, max_tokens=400))
        (beside,) = model.run(asked)
    assert_same(beside, whole)


def test_what_follows_its_first_token_follows_it_in_a_prompt_too(model):
    (answer,) = model.run(bare("Look: ", seen(picture(1))))
    first, second = drawn(answer)[0][:2]
    piece = model.worker.model.piece(first.token_id).decode()
    (behind,) = model.run(bare("Look: ", seen(picture(1)), piece))
    assert behind.usage.prompt_tokens == answer.usage.prompt_tokens + 1
    assert first_logprob(behind) == pytest.approx(second.logprob, abs=0.02)


def test_several_answers_draw_from_the_same(model):
    (alone,) = model.run(bare("Look: ", seen(picture(1))))
    (several,) = model.run(bare("Look: ", seen(picture(1)), n=3))
    assert len(several.texts()) == 3
    assert_same(several, alone)


def test_who_loses_the_place_for_want_of_room_comes_to_the_same_answer(media_files, kind):
    asked = [bare(f"Number {n}: ", seen(picture(n)), max_tokens=60) for n in range(6)]
    with load_seeing(media_files, kind, ctx_size_tokens=400) as worker:
        model = InProcess(worker)
        expected = [model.run(each)[0] for each in asked]
        answers = model.run(*asked)
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)


def test_nothing_but_a_picture_is_a_prompt(model):
    (answer,) = model.run(bare(seen(picture(1))))
    assert answer.usage.completion_tokens == 12
