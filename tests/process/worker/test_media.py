"""Pictures and sound in a prompt: what is drawn depends on them, they are computed once, and nobody gets another's."""

import msgspec
import pytest

from engine.config import Drafting
from engine.errors import EngineError
from engine.llama.library import LlamaError
from engine.request import ChatPrompt
from tests.process.worker.inprocess import InProcess, load, request
from tests.process.worker.seeing import SEEING, ask, float_sound, load_seeing, picture, seen, sound
from tests.process.worker.test_memory_kinds import always_bring_back, assert_same, drawn
from tools.bench_model.projectors import PROJECTORS, write_projector


@pytest.fixture(params=SEEING)
def kind(request):
    return request.param


@pytest.fixture
def model(media_files, kind):
    with load_seeing(media_files, kind) as worker:
        model = InProcess(worker)
        always_bring_back(model)
        yield model


def from_scratch(model, asked):
    model.generator.forget_cached_prefixes()
    (answer,) = model.run(asked)
    model.generator.forget_cached_prefixes()
    return answer


def first_logprob(answer):
    """Of the first token that was drawn: it depends on nothing but the prompt."""
    return drawn(answer)[0][0].logprob


def test_the_answer_depends_on_the_picture(model):
    one, same, other = (from_scratch(model, ask("Look: ", seen(picture(n)), " What is it?")) for n in (1, 1, 2))
    assert_same(one, same)
    assert first_logprob(one) != pytest.approx(first_logprob(other), abs=0.02)


def test_a_picture_is_counted_as_what_it_takes_of_the_context(model):
    with_picture, without = (
        from_scratch(model, asked)
        for asked in (ask("Look: ", seen(picture(1)), " What is it?"), ask("Look: ", " What is it?"))
    )
    usage = with_picture.usage
    assert usage.image_tokens > 0
    assert usage.prompt_tokens >= without.usage.prompt_tokens + usage.image_tokens - 1  # the line end between texts
    assert usage.audio_tokens == without.usage.image_tokens == 0


def test_the_same_picture_is_a_shared_prefix_and_another_is_not(model, kind):
    questions = ["What is it? " * 5, "Who is there? " * 5]
    asked = [ask("Look at this: " * 5, seen(picture(n)), question) for n in (1, 2) for question in questions]
    alone = [from_scratch(model, each) for each in asked]
    together = [model.run(each)[0] for each in asked]
    for answer, expected in zip(together, alone, strict=True):
        assert_same(answer, expected)
    cached = [answer.usage.cached_tokens for answer in together]
    before = cached[2]
    assert cached[0] == 0
    if kind != "hybrid":  # its state can be had where a message ends only
        assert cached[1] >= before + together[1].usage.image_tokens > before > 0


def test_pictures_beside_running_answers_change_none_of_them(model):
    asked = [
        ask("Just talk. " * 10, max_tokens=40),
        ask(seen(picture(1, (400, 300))), "one", seen(picture(2)), "two", max_tokens=40),
        ask("Then ", seen(picture(3, (300, 500))), "tell me."),
        ask("Just talk about something else. " * 10, max_tokens=40),
    ]
    alone = [from_scratch(model, each) for each in asked]
    for answer, expected in zip(model.run(*asked), alone, strict=True):
        assert_same(answer, expected)


def test_streams_go_on_between_the_parts_of_a_picture(media_files):
    with load_seeing(media_files, "vision-mrope", target_step_seconds=1e-9) as worker:
        model = InProcess(worker)
        running, _ = model.submit(ask("Just talk. " * 4, max_tokens=200))
        for _ in range(8):
            list(model.generator.step())
        seeing, _ = model.submit(ask(seen(picture(1, (600, 600))), "What is it?", max_tokens=4))
        told = []
        while not any(request_id == seeing and hasattr(event, "text") for request_id, event in told):
            told += model.generator.step()
    assert sum(request_id == running and hasattr(event, "text") for request_id, event in told) >= 10


def test_a_request_that_ends_within_a_picture_leaves_nothing_behind(model):
    expected = from_scratch(model, ask(seen(picture(1, (400, 300))), "What is it?"))
    for steps in range(1, 12):
        cancelled, _ = model.submit(ask("x" * steps, seen(picture(1, (400, 300))), "What is it?"))
        for _ in range(steps):
            if not model.generator.is_idle:
                list(model.generator.step())
        model.generator.cancel(cancelled)
        model.generator.check_integrity()
    (answer,) = model.run(ask(seen(picture(1, (400, 300))), "What is it?"))
    assert_same(answer, expected)


def test_more_pictures_than_fit_wait_for_each_other(media_files, kind):
    asked = [ask(f"Number {n}: ", seen(picture(n)), " What is it?", max_tokens=60) for n in range(6)]
    with load_seeing(media_files, kind, ctx_size_tokens=400) as worker:
        model = InProcess(worker)
        expected = [from_scratch(model, each) for each in asked]
        answers = model.run(*asked)
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)


def test_what_left_the_cache_comes_back_with_its_picture(media_files, kind):
    asked = [ask(f"Number {n}: " * 12, seen(picture(n)), " What is it?") for n in range(6)]
    with load_seeing(media_files, kind, ctx_size_tokens=512, parallel=1) as worker:
        model = InProcess(worker)
        always_bring_back(model)
        expected = [from_scratch(model, each) for each in asked]
        for each in asked:
            model.run(each)
        answers = [model.run(each)[0] for each in asked]
    for answer, alone in zip(answers, expected, strict=True):
        assert_same(answer, alone)
        assert answer.usage.cached_tokens > 64


def test_several_answers_share_one_picture(model):
    asked = ask("Look: ", seen(picture(1)), " What is it?")
    expected = from_scratch(model, asked)
    (answer,) = model.run(ask("Look: ", seen(picture(1)), " What is it?", n=3))
    assert len(answer.texts()) == 3
    assert_same(answer, expected)


def test_a_picture_that_was_computed_before_a_restart_is_not_computed_again(media_files, kind, tmp_path):
    asked = ask("Look at this: " * 5, seen(picture(1)), " What is it?")
    answers = []
    for _ in range(2):
        with load_seeing(media_files, kind, prefix_cache_dir=str(tmp_path)) as worker:
            model = InProcess(worker)
            job = worker.preparer.generation(99, asked)
            model.generator._prefix_files._thread.submit(lambda: None).result()
            model.generator.fetch_prefix(job)
            job.close()
            answers += model.run(asked)
    assert_same(answers[1], answers[0])
    assert answers[0].usage.cached_tokens == 0
    assert answers[1].usage.cached_tokens > answers[1].usage.image_tokens


def test_a_draft_model_beside_pictures_changes_nothing(media_files):
    small = str(media_files / "test-attention.gguf")
    asked = [ask("one two three. " * 8, seen(picture(1)), "one two three. " * 8, max_tokens=40), ask("talk. " * 9)]
    with load_seeing(media_files, "vision") as worker:
        expected = [from_scratch(InProcess(worker), each) for each in asked]
    drafting = Drafting(prompt_lookup="on", model=small)
    with load_seeing(media_files, "vision", drafting=drafting) as worker:
        for answer, alone in zip(InProcess(worker).run(*asked), expected, strict=True):
            assert_same(answer, alone)


def test_an_answer_to_a_picture_is_guessed_from_the_text_and_stays_the_same(media_files, kind):
    asked = ask("one two three. " * 8, seen(picture(1)), "one two three. " * 8, max_tokens=60)
    with load_seeing(media_files, kind) as worker:
        expected = from_scratch(InProcess(worker), asked)
    with load_seeing(media_files, kind, drafting=Drafting(prompt_lookup="on")) as worker:
        (answer,) = InProcess(worker).run(asked)
        speculation = worker.generator.speculation
    assert_same(answer, expected)
    if kind != "hybrid":  # its state can't be taken back, so that nothing is guessed
        assert speculation.accepted_tokens > 0


def test_a_prediction_beside_a_picture_is_tried(omni):
    asked = ask(seen(picture(1)), "What is it?", max_tokens=20)
    (plain,) = omni.run(asked)
    (predicted,) = omni.run(msgspec.structs.replace(asked, prediction=plain.text))
    assert_same(predicted, plain)
    assert predicted.usage.accepted_prediction_tokens > 0


def test_a_picture_at_low_detail_is_another_and_takes_less(media_files):
    large = seen(picture(1, (900, 600)))
    with load_seeing(media_files, "vision-mrope") as worker:
        model = InProcess(worker)
        whole, low = (
            model.run(ask(media, "What is it?"))[0]
            for media in (large, msgspec.structs.replace(large, most_side_pixels=512))
        )
    assert low.usage.image_tokens < whole.usage.image_tokens
    assert low.usage.cached_tokens < whole.usage.image_tokens


def test_encoding_is_a_part_of_the_time_that_a_prompt_takes(omni):
    (answer,) = omni.run(ask(seen(picture(13)), "What is it?"))
    job = omni.worker.preparer.generation(99, ask(seen(picture(14)), "What is it?"))
    timings, encoding_ns = job.timings, job.media.encoding_ns
    job.close()
    assert timings.prompt_ns >= encoding_ns > 0
    assert timings.total_ns >= timings.prompt_ns
    assert answer.endings[0].timings.prompt_ns > 0


def test_who_shares_no_prefixes_shares_no_encoded_picture(omni):
    hits = omni.worker.media_cache.hits
    for salt in ("one", "other"):
        omni.run(ask(seen(picture(12)), "What is it?", cache_salt=salt))
    assert omni.worker.media_cache.hits == hits


def test_the_cache_of_pictures_stays_within_its_bytes(media_files):
    one_picture_bytes = 64 * 64 * 4
    with load_seeing(media_files, "vision", media_cache_bytes=2 * one_picture_bytes) as worker:
        model = InProcess(worker)
        for n in (1, 2, 3, 1):
            model.run(ask(seen(picture(n)), "What is it?"))
            assert worker.media_cache.size_bytes <= 2 * one_picture_bytes
        assert worker.media_cache.hits == 0
        assert worker.media_cache.misses == 4


def test_the_answer_depends_on_the_sound(omni):
    one, same, other = (from_scratch(omni, ask(seen(sound(n), "audio"), "What was that?")) for n in (1, 1, 2))
    assert_same(one, same)
    assert first_logprob(one) != pytest.approx(first_logprob(other), abs=0.02)
    assert one.usage.audio_tokens == 25
    assert one.usage.image_tokens == 0


def test_a_model_sees_and_hears_in_one_message(omni):
    (answer,) = omni.run(ask(seen(picture(1)), " and ", seen(sound(1), "audio"), " together?"))
    assert (answer.usage.image_tokens, answer.usage.audio_tokens) == (64, 25)


@pytest.mark.parametrize(
    ("media", "complaint"),
    [
        (seen(picture(1)[:100]), "can't be read"),
        (seen(b"not a picture at all"), "can't be read"),
        (seen(b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio"), "can't be read"),
        (seen(sound(1, seconds=0), "audio"), "can't be read"),
        (seen(sound(1, seconds=1 / 8000, rate=48000), "audio"), "it has no samples"),
        (seen(b"\xff\xfb\x90\x00", "audio"), "no sound can be decoded"),
        (seen(b"\xff\xfb\x90\x00" * 300, "audio"), "no sound can be decoded"),
        (seen(picture(1), "audio"), "no sound can be decoded"),
        (seen(float_sound(float("nan")), "audio"), "makes no numbers of it"),
        (seen(float_sound(float("inf")), "audio"), "makes no numbers of it"),
        (seen(float_sound(3e38), "audio"), "makes no numbers of it"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_place(omni, media, complaint):
    with pytest.raises(EngineError, match=complaint) as refusal:
        omni.submit(ask("Look: ", media, "What is it?"))
    assert refusal.value.param == "messages[0].content[1]"
    assert refusal.value.code == "invalid_request"


@pytest.mark.parametrize("size", [(1, 1), (200, 1), (1, 200), (2, 3), (3000, 15)])
def test_pictures_of_any_shape_are_read(model, size):
    (answer,) = model.run(ask(seen(picture(1, size)), "What is it?", max_tokens=1))
    assert answer.usage.image_tokens > 0


@pytest.mark.parametrize(("projector", "media"), [("audio", seen(picture(1))), ("vision", seen(sound(1), "audio"))])
def test_a_projector_refuses_by_name_what_it_does_not_take(media_files, projector, media):
    with (
        load_seeing(media_files, projector) as worker,
        pytest.raises(EngineError, match="this model takes no") as refusal,
    ):
        InProcess(worker).submit(ask(media, "What is it?"))
    assert refusal.value.code == "not_supported_by_model"


def test_a_conversation_too_long_loses_whole_messages_with_their_pictures(omni):
    long_ago = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Long ago. " * 200}]}
    asked = ask(seen(picture(2)), "What is it?")
    prompt = ChatPrompt(
        messages=(long_ago, {"role": "assistant", "content": "Yes."}, *asked.prompt.messages),
        media=(seen(picture(1)), *asked.prompt.media),
    )
    (shortened,) = omni.run(request("", prompt=prompt, truncate_prompt=True))
    assert shortened.usage.image_tokens == 64


def test_a_picture_that_does_not_fit_the_context_is_refused(omni):
    with pytest.raises(EngineError, match="context") as refusal:
        omni.submit(ask(seen(picture(1)), "What is it?", truncate_prompt=True, context_limit_tokens=64))
    assert refusal.value.code == "context_length_exceeded"


def test_vectors_that_see_each_other_must_fit_one_pass(media_files):
    with (
        load_seeing(media_files, "vision-pooled", micro_batch_tokens=8) as worker,
        pytest.raises(EngineError, match="micro-batch-size"),
    ):
        InProcess(worker).submit(ask(seen(picture(1)), "What is it?"))


def test_a_picture_takes_as_many_tokens_as_it_is_bounded_to(media_files):
    asked = ask(seen(picture(1, (300, 300))), "What is it?", max_tokens=1)
    taken = []
    for bounds in ({"image_max_tokens": 16}, {}, {"image_min_tokens": 400}):
        with load_seeing(media_files, "vision-mrope", **bounds) as worker:
            taken.append(InProcess(worker).run(asked)[0].usage.image_tokens)
    assert taken[0] <= 16 < taken[1] < 400 <= taken[2]


def test_a_projector_of_another_model_is_refused(media_files, tmp_path):
    write_projector(tmp_path / "mmproj.gguf", PROJECTORS["vision"], model_width=128)
    with pytest.raises(LlamaError, match="mismatch"):
        load(media_files / "test-attention.gguf", projector=str(tmp_path / "mmproj.gguf"))


def test_the_worker_says_what_it_takes(omni):
    assert {"vision", "audio"} <= set(omni.worker.facts.capabilities)
