"""What a seed promises: the same request alone gives the same answer, whatever the worker did in between."""

import pytest

from engine.request import ChatPrompt, SamplingParams
from tests.process.worker.inprocess import InProcess, load, request


@pytest.mark.parametrize("threads", [1, 2])
def test_a_seeded_answer_alone_is_the_same_after_other_work(threads):
    with load(ctx_size_tokens=1024, threads=threads) as worker:
        model = InProcess(worker)
        for seed in range(4):
            prompt = ChatPrompt(messages=({"role": "user", "content": f"Tell me about number {seed}. " * 5},))
            sampling = SamplingParams(temperature=1.5, seed=seed)
            seeded = request("", prompt=prompt, sampling=sampling, max_tokens=60, ignore_eos=True)
            [first] = model.run(seeded)
            model.run(*[request(f"something else {seed} " * words, max_tokens=words) for words in (3, 11, 20)])
            assert model.run(seeded)[0].text == first.text
