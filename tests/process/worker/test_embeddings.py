"""Embeddings with a real model: one vector for each input, the same in any company."""

from contextlib import ExitStack

import numpy as np
import pytest

from engine.config import LoadParams
from engine.errors import EngineError
from engine.events import Admitted, EmbeddingResult, Failed
from engine.request import EmbeddingRequest, RerankRequest, TextPrompt
from engine.worker.adapters import Adapters
from engine.worker.embeddings import Embedder
from tests.process.worker.inprocess import InProcess, load, request
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

TEXTS = ("red", "a longer text about the colour of the sky", "one two three " * 20)


def embed(model, *inputs, **changes):
    """The result for these inputs, and its vectors as rows."""
    embedder = model.worker.embedder
    embedder.add(embedder.prepare(1, EmbeddingRequest(model="m", inputs=inputs, **changes)))
    events = []
    while not embedder.is_idle:
        events += [event for _, event in embedder.step()]
    admitted, result = events
    assert (type(admitted), type(result)) == (Admitted, EmbeddingResult)
    return result, np.stack([np.frombuffer(vector, dtype="<f4") for vector in result.vectors])


def test_vectors_are_as_long_as_the_model_is_wide_and_of_unit_length(model: InProcess):
    _, vectors = embed(model, *TEXTS)
    assert vectors.shape == (3, model.worker.model.embedding_length)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


def test_company_does_not_change_a_vector(model: InProcess):
    _, together = embed(model, *TEXTS)
    alone = np.concatenate([embed(model, text)[1] for text in TEXTS])
    assert np.sum(together * alone, axis=1) == pytest.approx([1, 1, 1], abs=1e-3)


def test_more_inputs_than_fit_one_batch_all_get_their_vector(model: InProcess):
    inputs = [f"{n} " + "word " * 20 for n in range(150)]
    result, vectors = embed(model, *inputs)
    assert len(vectors) == 150
    assert np.sum(vectors[137] * embed(model, inputs[137])[1][0]) == pytest.approx(1, abs=1e-3)
    assert result.usage.prompt_tokens == sum(len(model.tokens(TextPrompt(text=t))) for t in inputs)


def test_token_ids_embed_as_their_text_does(model: InProcess):
    tokens = tuple(model.tokens(TextPrompt(text="a b c")))
    _, vectors = embed(model, "a b c", tokens)
    assert np.sum(vectors[0] * vectors[1]) == pytest.approx(1, abs=1e-4)


def test_fewer_dimensions_are_the_first_ones_brought_to_unit_length(model: InProcess):
    _, whole = embed(model, "red", normalize=False)
    _, cut = embed(model, "red", dimensions=8)
    expected = whole[0, :8] / np.linalg.norm(whole[0, :8])
    assert cut[0] == pytest.approx(expected, abs=1e-4)


def test_more_dimensions_than_the_model_has_are_refused(model: InProcess):
    with pytest.raises(EngineError, match=r"4096 dimensions .* vectors have \d+") as caught:
        embed(model, "red", dimensions=4096)
    assert caught.value.param == "dimensions"


def test_an_input_that_is_too_long_is_refused_and_named_or_cut_where_that_is_wanted(model: InProcess):
    long = "word " * 600
    with pytest.raises(EngineError, match="at most 512") as caught:
        embed(model, "short", long)
    assert caught.value.param == "input[1]"
    result, _ = embed(model, long, truncate=True)
    assert result.usage.prompt_tokens == 512


def test_a_token_id_that_does_not_exist_is_refused(model: InProcess):
    with pytest.raises(EngineError, match="token id 999999"):
        embed(model, (1, 999999))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A model of an encoder's shape, with random weights."""
    path = tmp_path_factory.mktemp("encoder") / "encoder.gguf"
    write_model(path, PRESETS["encoder"], name="encoder")
    with load(path=path, ctx_size_tokens=0) as worker:
        yield InProcess(worker)


def test_an_encoder_only_embeds(encoder: InProcess):
    assert encoder.generator is None
    assert encoder.worker.facts.capabilities == ("embedding",)


def test_company_does_not_change_an_encoders_vector(encoder: InProcess):
    _, together = embed(encoder, *TEXTS)
    alone = np.concatenate([embed(encoder, text)[1] for text in TEXTS])
    assert np.sum(together * alone, axis=1) == pytest.approx([1, 1, 1], abs=1e-3)


def test_an_encoders_cut_input_keeps_the_separator_at_its_end(encoder: InProcess):
    embedder = encoder.worker.embedder
    long = EmbeddingRequest(model="m", inputs=("word " * 3000,), truncate=True)
    (tokens,) = embedder.prepare(1, long).inputs
    whole = encoder.worker.model.tokenize("word " * 3000, add_special=True, parse_special=True)
    assert (len(tokens), tokens[-1]) == (embedder.limit_tokens, whole[-1])


def test_a_text_behind_a_long_request_is_embedded_in_the_next_batch(encoder: InProcess):
    embedder = encoder.worker.embedder
    embedder.add(embedder.prepare(1, EmbeddingRequest(model="m", inputs=("word " * 100,) * 40)))
    embedder.add(embedder.prepare(2, EmbeddingRequest(model="m", inputs=("red",))))
    assert [(number, type(event)) for number, event in embedder.step()] == [
        (1, Admitted),
        (2, Admitted),
        (2, EmbeddingResult),
    ]
    embedder.cancel(1)
    assert embedder.is_idle


def test_requests_in_one_batch_get_their_own_vectors(encoder: InProcess):
    embedder = encoder.worker.embedder
    for number, text in enumerate(TEXTS[:2]):
        embedder.add(embedder.prepare(number, EmbeddingRequest(model="m", inputs=(text, "blue"))))
    results = dict(embedder.step())
    alone = [embed(encoder, text)[1][0] for text in TEXTS[:2]]
    found = [np.frombuffer(results[number].vectors[0], dtype="<f4") for number in (0, 1)]
    assert [float(a @ b) for a, b in zip(found, alone, strict=True)] == pytest.approx([1, 1], abs=1e-3)


def test_a_model_that_embeds_does_not_rank(encoder: InProcess):
    with pytest.raises(EngineError, match="does not rank") as caught:
        encoder.worker.embedder.prepare(1, RerankRequest(model="m", query="red", documents=("blue",)))
    assert (caught.value.code, caught.value.param) == ("not_supported_by_model", "model")


def test_beside_running_answers_a_step_is_kept_short():
    inputs = tuple(f"text number {n}" for n in range(24))
    with load(target_step_seconds=1e-4) as worker:
        model = InProcess(worker)
        alone = _steps(worker.embedder, inputs)
        model.submit(request("Hello", ignore_eos=True, max_tokens=400))
        assert _steps(worker.embedder, inputs) > 2 * alone


def test_without_memory_for_its_context_a_request_fails_with_both_sizes(model: InProcess):
    worker = model.worker
    embedder = Embedder(
        worker.model,
        LoadParams(),
        Adapters(worker.model, (), ExitStack()),
        answers_run=lambda: False,
        cell_bytes=1 << 50,
    )
    embedder.add(embedder.prepare(1, EmbeddingRequest(model="m", inputs=("a",))))
    failures = [event for _, event in embedder.step() if isinstance(event, Failed)]
    assert [failed.code for failed in failures] == ["model_load_failed"]
    assert "GiB of memory are free" in failures[0].message
    assert embedder.is_idle


def _steps(embedder, inputs):
    """How many steps the inputs take."""
    embedder.add(embedder.prepare(1, EmbeddingRequest(model="m", inputs=inputs)))
    steps = 0
    while not embedder.is_idle:
        list(embedder.step())
        steps += 1
    return steps
