"""Generation with a real model: what each parameter promises, and that company changes nothing."""

import json
import math

import pytest

from engine.errors import EngineError
from engine.events import TextDelta
from engine.request import ChatPrompt, InfillPrompt, JsonConstraint, SamplingParams, TextPrompt, TokenPrompt
from tests.process.worker.inprocess import InProcess, load, request

LONG = "one two three four five six seven eight nine ten " * 6
PROMPTS = [LONG + "red", LONG + "blue", "a b c", "What is 2 + 3?", LONG]


def sampled(**changes):
    return SamplingParams(**{"temperature": 1.0, "seed": 7, **changes})


def test_company_does_not_change_greedy_answers(model: InProcess):
    alone = []
    for prompt in PROMPTS:
        model.generator.forget_cached_prefixes()
        alone += [answer.text for answer in model.run(request(prompt))]
    model.generator.forget_cached_prefixes()
    together = [answer.text for answer in model.run(*map(request, PROMPTS))]
    after_a_prefix_hit = [answer.text for prompt in PROMPTS for answer in model.run(request(prompt))]
    assert together == alone
    assert after_a_prefix_hit == alone


def test_a_repeated_prompt_is_not_computed_again_and_usage_says_so(model: InProcess):
    first, second = model.run(request(LONG))[0].usage, model.run(request(LONG))[0].usage
    assert (first.cached_tokens, second.cached_tokens) == (0, first.prompt_tokens - 1)


def test_the_same_seed_gives_the_same_answer_and_another_seed_another(model: InProcess):
    prompts = [request("tell me", sampling=sampled(seed=seed), max_tokens=24, ignore_eos=True) for seed in (7, 7, 8)]
    first, again, other = (model.run(prompt)[0].text for prompt in prompts)
    assert first == again
    assert first != other


def test_several_answers_share_one_prompt_and_are_counted_each(model: InProcess):
    (answer,) = model.run(request("tell me", n=3, sampling=sampled(), max_tokens=8, ignore_eos=True))
    assert (len(answer.texts()), answer.usage.completion_tokens, answer.finish_reasons) == (3, 24, ["length"] * 3)


def test_a_stop_string_ends_the_answer_and_does_not_show(model: InProcess):
    whole = model.run(request("a b c", max_tokens=30, ignore_eos=True))[0].text
    stop = whole[len(whole) // 2 :][:4]
    (answer,) = model.run(request("a b c", max_tokens=30, ignore_eos=True, stop=(stop,)))
    assert answer.text == whole[: whole.index(stop)]
    assert answer.finish_reasons == ["stop"]


def test_max_tokens_bounds_the_answer_exactly(model: InProcess):
    (answer,) = model.run(request("a b c", max_tokens=5, ignore_eos=True))
    assert (answer.usage.completion_tokens, answer.finish_reasons) == (5, ["length"])


def test_no_tokens_are_drawn_where_none_are_wanted(model: InProcess):
    (answer,) = model.run(request("a b c", max_tokens=0))
    assert (answer.text, answer.finish_reasons, answer.usage.completion_tokens) == ("", ["length"], 0)


def test_an_answer_ends_where_the_context_does(model: InProcess):
    (answer,) = model.run(request("a b c", max_tokens=None, ignore_eos=True, context_limit_tokens=40))
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens == 40
    assert answer.finish_reasons == ["length"]


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(model: InProcess):
    with pytest.raises(EngineError, match=r"has \d+ tokens, but the model's context is 512") as caught:
        model.run(request(LONG * 20))
    assert caught.value.code == "context_length_exceeded"


def test_a_prompt_longer_than_the_context_is_shortened_where_that_is_wanted(model: InProcess):
    (answer,) = model.run(request(LONG * 20, truncate_prompt=True, max_tokens=1))
    assert answer.usage.prompt_tokens == 511


def test_a_long_chat_loses_its_oldest_messages_but_never_the_system_message(model: InProcess):
    turns = [{"role": "user", "content": f"message {n} {LONG}"} for n in range(8)]
    prompt = ChatPrompt(messages=({"role": "system", "content": "be brief"}, *turns))
    request_id, _ = model.submit(request("", prompt=prompt, truncate_prompt=True))
    job = model.generator._jobs[request_id]  # the prompt as it was computed
    text = model.worker.preparer.text(tuple(job.prompt_tokens))
    model.generator.cancel(request_id)
    assert "be brief" in text
    assert "message 7" in text
    assert "message 0" not in text


def test_greedy_draws_the_most_likely_token_of_each_position(model: InProcess):
    (answer,) = model.run(request("a b c", logprobs=3, max_tokens=6, ignore_eos=False))
    logprobs = [entry for event in answer.events if isinstance(event, TextDelta) for entry in event.logprobs]
    assert logprobs
    assert all(entry.token_id == entry.top[0].token_id and entry.logprob == entry.top[0].logprob for entry in logprobs)
    assert all(list(entry.top) == sorted(entry.top, key=lambda a: -a.logprob) for entry in logprobs)


def test_the_bytes_of_the_logprobs_are_the_text(model: InProcess):
    (answer,) = model.run(
        request("héllo ", logprobs=0, max_tokens=20, sampling=sampled(temperature=1.5), ignore_eos=True)
    )
    logprobs = [entry for event in answer.events if isinstance(event, TextDelta) for entry in event.logprobs]
    assert b"".join(entry.bytes for entry in logprobs).decode("utf-8", "replace") == answer.text
    assert len(logprobs) == answer.usage.completion_tokens


def test_probabilities_over_the_whole_vocabulary_sum_to_one(model: InProcess):
    size = model.worker.model.vocabulary_size
    (answer,) = model.run(request("a b c", logprobs=size, max_tokens=1, ignore_eos=True))
    (entry,) = next(e for e in answer.events if isinstance(e, TextDelta) and e.logprobs).logprobs
    assert math.isclose(sum(math.exp(a.logprob) for a in entry.top), 1, rel_tol=1e-4)


def test_echo_sends_the_prompt_first_with_its_log_probabilities(model: InProcess):
    (answer,) = model.run(request("one two three", echo=True, logprobs=1, max_tokens=0))
    (echo,) = (e for e in answer.events if isinstance(e, TextDelta) and e.echo)
    assert echo.text == "one two three"
    assert len(echo.logprobs) == answer.usage.prompt_tokens
    assert [entry.logprob is None for entry in echo.logprobs] == [True] + [False] * (len(echo.logprobs) - 1)


def test_the_log_probabilities_of_an_echo_are_those_of_drawing_it(model: InProcess):
    (drawn,) = model.run(request("one two", logprobs=0, max_tokens=6, ignore_eos=True))
    entries = [entry for e in drawn.events if isinstance(e, TextDelta) for entry in e.logprobs]
    prompt = model.tokens(TextPrompt(text="one two"))
    tokens = TokenPrompt(tokens=(*prompt, *(entry.token_id for entry in entries)))
    (echoed,) = model.run(request("", prompt=tokens, echo=True, logprobs=0, max_tokens=0))
    (echo,) = (e for e in echoed.events if isinstance(e, TextDelta) and e.echo)
    scored = [entry.logprob for entry in echo.logprobs[len(prompt) :]]
    assert scored == pytest.approx([entry.logprob for entry in entries], abs=0.1)


def test_a_score_is_the_sum_of_the_log_probabilities(model: InProcess):
    (answer,) = model.run(request("one two", score=True, logprobs=0, max_tokens=6, ignore_eos=True))
    entries = [entry for e in answer.events if isinstance(e, TextDelta) for entry in e.logprobs]
    (finished,) = (e for e in answer.events if hasattr(e, "cumulative_logprob"))
    assert finished.cumulative_logprob == pytest.approx(sum(entry.logprob for entry in entries))


def test_a_banned_token_is_never_drawn_and_a_favoured_one_always(model: InProcess):
    (token,) = model.tokens(TextPrompt(text="7"))[-1:]
    favoured = request("a b c", sampling=SamplingParams(temperature=0, logit_bias={token: 100.0}), max_tokens=4)
    banned = request("7 7 7 7 7 7", sampling=SamplingParams(temperature=0, logit_bias={token: -100.0}), max_tokens=8)
    assert model.run(favoured)[0].text == "7777"
    assert "7" not in model.run(banned)[0].text


def test_a_bias_for_a_token_that_does_not_exist_is_refused(model: InProcess):
    with pytest.raises(EngineError, match="token id 99999999 is not in the model's vocabulary"):
        model.run(request("a", sampling=SamplingParams(logit_bias={99999999: 1.0})))


def test_a_repeat_penalty_changes_a_repetitive_answer(model: InProcess):
    prompt = "ho ho ho ho ho ho ho ho ho ho"
    plain = request(prompt, max_tokens=16, ignore_eos=True)
    penalised = request(
        prompt,
        max_tokens=16,
        ignore_eos=True,
        sampling=SamplingParams(temperature=0, repeat_penalty=2.0, frequency_penalty=1.0),
    )
    assert model.run(plain)[0].text != model.run(penalised)[0].text


@pytest.mark.timeout(20)
def test_a_penalty_window_beyond_the_context_costs_no_more_than_the_context(model: InProcess):
    texts = [
        model.run(
            request(
                "ho ho ho", max_tokens=4, sampling=SamplingParams(temperature=0, repeat_penalty=1.1, repeat_last_n=last)
            )
        )[0].text
        for last in (-1, 2**31 - 1)
    ]
    assert texts[0] == texts[1]


@pytest.mark.parametrize(
    "params",
    [{"top_k": 1}, {"top_p": 0.0001}, {"min_p": 1.0}],
    ids=["top_k", "top_p", "min_p"],
)
def test_truncation_to_one_candidate_is_greedy(model: InProcess, params):
    greedy = request("What is 2 + 3?", max_tokens=16, ignore_eos=True)
    truncated = request("What is 2 + 3?", max_tokens=16, ignore_eos=True, sampling=sampled(**params))
    assert model.run(truncated)[0].text == model.run(greedy)[0].text


@pytest.mark.parametrize("stop_after", range(6))
def test_a_cancelled_request_leaves_nothing_behind(model: InProcess, stop_after):
    request_id, _ = model.submit(request(LONG, n=2, max_tokens=50, ignore_eos=True))
    for _ in range(stop_after):
        list(model.generator.step())
    model.generator.cancel(request_id)
    assert model.generator.is_idle
    model.generator.check_integrity()


def test_more_than_fits_the_kv_cache_is_served_all_the_same():
    with load(ctx_size_tokens=256, parallel=4) as worker:
        model = InProcess(worker)
        prompts = [request(f"{n} " + LONG, max_tokens=60, ignore_eos=True) for n in range(6)]
        answers = model.run(*prompts)
    assert [answer.usage.completion_tokens for answer in answers] == [60] * 6


SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "kind": {"enum": ["cat", "dog"]},
        "ages": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "maxItems": 3},
    },
    "required": ["name", "kind", "ages"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("seed", range(4))
def test_a_constrained_answer_is_valid_whatever_the_model_would_say(model: InProcess, seed):
    (answer,) = model.run(
        request(
            "no json please",
            constraint=JsonConstraint(schema=json.dumps(SCHEMA)),
            max_tokens=200,
            sampling=sampled(seed=seed),
        )
    )
    value = json.loads(answer.text)
    assert set(value) == {"name", "kind", "ages"}
    assert value["kind"] in {"cat", "dog"}
    assert answer.finish_reasons == ["stop"]


def test_constrained_and_free_answers_run_in_one_batch(model: InProcess):
    constraint = JsonConstraint(schema='{"type": "boolean"}')
    constrained, free = model.run(
        request("yes?", constraint=constraint), request("a b c", max_tokens=9, ignore_eos=True)
    )
    assert constrained.text in {"true", "false"}
    assert free.usage.completion_tokens == 9


def test_a_schema_that_can_not_be_enforced_is_refused(model: InProcess):
    with pytest.raises(EngineError, match="can't be enforced") as caught:
        model.run(request("a", constraint=JsonConstraint(schema='{"type": "array", "uniqueItems": true}')))
    assert caught.value.code == "unsupported_schema"


def test_fill_in_the_middle_answers_between_prefix_and_suffix(model: InProcess):
    (answer,) = model.run(request("", prompt=InfillPrompt(prefix="one two ", suffix=" four five"), max_tokens=4))
    assert answer.endings[0].usage.prompt_tokens > 3


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9])
def test_no_more_of_a_long_chat_is_left_out_than_must_be(model: InProcess, count):
    turns = [{"role": "user", "content": f"message {n}"} for n in range(10)]

    def length(messages):
        return len(model.tokens(ChatPrompt(messages=tuple(messages))))

    limit = length(turns[-count:]) + 1
    chat = request(
        "", prompt=ChatPrompt(messages=tuple(turns)), truncate_prompt=True, context_limit_tokens=limit, max_tokens=1
    )
    assert model.run(chat)[0].usage.prompt_tokens == length(turns[-count:])


def test_an_echoed_prompt_is_scored_once_though_its_slot_is_lost_on_the_way():
    text = "one two three four five six seven " * 12
    requests = [
        request(f"{n} {text}", echo=True, logprobs=1, ignore_eos=True, max_tokens=50, stop=("\0",)) for n in range(4)
    ]
    with load(ctx_size_tokens=256, batch_tokens=32) as small:
        answers = InProcess(small).run(*requests)
    for answer in answers:
        echoes = [event for event in answer.events if isinstance(event, TextDelta) and event.echo]
        assert [len(echo.logprobs) for echo in echoes] == [answer.usage.prompt_tokens]


def test_stop_strings_are_bounded_together(model: InProcess):
    with pytest.raises(EngineError, match="16384") as caught:
        model.run(request("a", stop=("ab" * 4096, "cd" * 4097)))
    assert (caught.value.code, caught.value.param) == ("invalid_request", "stop")


def test_a_bias_that_bans_every_token_is_refused(model: InProcess):
    bans = dict.fromkeys(range(model.worker.model.vocabulary_size), -100.0)
    with pytest.raises(EngineError, match="every token") as caught:
        model.run(request("a", sampling=sampled(logit_bias=bans)))
    assert (caught.value.code, caught.value.param) == ("invalid_request", "logit_bias")


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_bias_that_bans_what_the_schema_demands_is_the_requests_fault(model: InProcess, temperature):
    vocabulary = model.worker.model
    bans = {t: -100.0 for t in range(vocabulary.vocabulary_size) if b"{" in vocabulary.piece(t)}
    constraint = JsonConstraint(schema='{"type": "object"}')
    (answer,) = model.run(
        request("a", constraint=constraint, sampling=sampled(temperature=temperature, logit_bias=bans))
    )
    (ending,) = answer.endings
    assert (ending.code, ending.param) == ("invalid_request", "logit_bias")


@pytest.mark.parametrize("temperature", [1e-320, 1e-45, 1e-31, 1e-29])
def test_the_least_temperatures_are_as_good_as_none(model: InProcess, temperature):
    greedy, cold = model.run(request("a b c"), request("a b c", sampling=SamplingParams(temperature=temperature)))
    assert cold.text == greedy.text


def test_what_goes_on_is_told_while_it_does_and_adds_up_afterwards(model: InProcess):
    before = model.generator.activity().tokens
    model.submit(request(LONG, n=2, max_tokens=8, ignore_eos=True))
    list(model.generator.step())
    list(model.generator.step())
    during = model.generator.activity()
    assert during.running + during.waiting == 2
    assert {slot.state for slot in during.slots} <= {"answer", "prompt", "empty"}
    model.run()
    after = model.generator.activity()
    prompt = max(slot.prompt_tokens for slot in during.slots)
    assert after.tokens.completion - before.completion == 16
    # The second answer computes nothing but the last token of the prompt, which counts as its own.
    assert after.tokens.prompt - before.prompt == prompt
    assert after.tokens.cached - before.cached == prompt - 1
    assert prompt < after.kv_tokens < after.kv_capacity_tokens
    assert after.step_seconds.decode > 0


def test_rows_that_pad_a_step_change_no_answer_and_leave_nothing_behind(model):
    prompts = ["What is 2 + 3?", "List three colors: ", "one two three"]
    alone = [model.run(request(prompt))[0].text for prompt in prompts]
    for rows in (1, 2, 3):
        for _ in range(3):
            model.generator.speculation.cost.note(rows, 100.0)
    together = model.run(*map(request, prompts))
    assert model.generator.speculation.cost.is_measured(4)
    assert [answer.text for answer in together] == alone
