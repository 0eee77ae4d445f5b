"""Pictures are cut and encoded step by step, each once."""

from tests.process.worker.inprocess import InProcess
from tests.process.worker.seeing import ask, load_seeing, picture, seen


def test_a_picture_is_encoded_once(omni):
    hits = omni.worker.media_cache.hits
    for question in ("What is it?", "Who is it?"):
        omni.run(ask(seen(picture(11)), question))
    assert omni.worker.media_cache.hits == hits + 1


def prepared(steps):
    """How many steps preparing took; the job is given up."""
    taken = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            end.value.close()
            return taken
        taken += 1


def test_what_a_request_has_several_times_is_cut_and_encoded_once(media_files):
    one, two = seen(picture(1)), seen(picture(2))
    with load_seeing(media_files, "vision", media_cache_bytes=0) as worker:
        taken = [
            prepared(worker.preparer.preparation(1, ask(*media, "What is it?")))
            for media in ([one], [one, one, one], [one, two, one])
        ]
        repeated, both = (InProcess(worker).run(ask(one, other, "What is it?"))[0] for other in (one, two))
    assert taken == [2, 2, 4]
    assert repeated.usage.image_tokens == both.usage.image_tokens == 128


def test_what_another_request_encoded_meanwhile_is_not_encoded_again(omni):
    asked = ask(seen(picture(21)), "What is it?")
    first, second = (omni.worker.preparer.preparation(number, asked) for number in (1, 2))
    next(first)
    next(second)
    assert prepared(first) == 1
    assert prepared(second) == 0


def test_a_request_given_up_while_it_is_prepared_leaves_nothing_behind(omni):
    asked = ask(*(seen(picture(n)) for n in (31, 32, 33)), "What is it?")
    for steps in range(1, 6):
        preparation = omni.worker.preparer.preparation(99, asked)
        for _ in range(steps):
            next(preparation)
        preparation.close()
    assert omni.run(asked)[0].usage.image_tokens == 3 * 64
