"""LoRA adapters and control vectors on the bundled model: what they change, and that requests with different ones stay apart."""

import msgspec
import pytest

from engine import BUNDLED_MODEL
from engine.config import LoraFile, Steering
from engine.errors import EngineError
from engine.events import EmbeddingResult, TextDelta
from engine.llama.library import LlamaError
from engine.request import EmbeddingRequest, LoraScale
from tests.process.worker.inprocess import InProcess, load, request
from tools.bench_model.adapters import write_control_vector, write_lora

PROMPT = "Write me a short poem about a quick brown fox, a lazy dog and a long day by the sea:"
NAMES = ("red", "blue")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A directory with the adapters red and blue, and a control vector."""
    folder = tmp_path_factory.mktemp("adapters")
    for seed, name in enumerate(NAMES):
        write_lora(folder / f"{name}.gguf", BUNDLED_MODEL, strength=3.0, seed=seed)
    write_control_vector(folder / "vector.gguf", BUNDLED_MODEL, strength=60.0)
    return folder


@pytest.fixture(scope="module")
def adapted(files):
    """The bundled model with both adapters, applied where a request says so only."""
    lora = tuple(LoraFile(name=name, path=str(files / f"{name}.gguf"), scale=0) for name in NAMES)
    with load(lora=lora) as worker:
        yield worker


@pytest.fixture
def model(adapted):
    in_process = InProcess(adapted)
    in_process.generator.forget_cached_prefixes()
    return in_process


def plain(text=PROMPT):
    with load() as worker:
        return InProcess(worker).run(request(text))[0].text


def with_scales(text=PROMPT, /, **scales):
    chosen = tuple(LoraScale(adapter=name, scale=scale) for name, scale in scales.items())
    return request(text, lora=chosen)


def test_an_adapter_changes_the_answer_and_at_scale_zero_it_does_not(model):
    red, blue, none, unsaid = model.run(with_scales(red=1), with_scales(blue=1), with_scales(red=0), request(PROMPT))
    assert none.text == unsaid.text == plain()
    assert len({red.text, blue.text, none.text}) == 3


def test_an_adapter_may_be_named_by_its_number(model):
    by_name, by_number = model.run(with_scales(blue=1), request(PROMPT, lora=(LoraScale(adapter=1),)))
    assert by_name.text == by_number.text


def test_where_a_request_says_nothing_each_adapter_has_its_own_scale(files, model):
    (wanted,) = model.run(with_scales(red=1))
    with load(lora=(LoraFile(name="red", path=str(files / "red.gguf")),)) as worker:
        unsaid, none = InProcess(worker).run(request(PROMPT), request(PROMPT, lora=()))
    assert unsaid.text == wanted.text
    assert none.text == plain()


def test_company_with_other_adapters_changes_no_answer(model):
    """Compared is how likely the first token is, which what is computed in another batch rounds a little otherwise."""
    requests = [
        msgspec.structs.replace(with_scales(PROMPT[start:], **scales), logprobs=0)
        for start in (0, 4)
        for scales in ({}, {"red": 1}, {"blue": 1}, {"red": 0.5, "blue": 0.5})
    ]
    alone = []
    for each in requests:
        model.generator.forget_cached_prefixes()
        alone.append(first_logprob(model.run(each)[0]))
    model.generator.forget_cached_prefixes()
    together = [first_logprob(answer) for answer in model.run(*requests)]
    assert together == pytest.approx(alone, abs=0.25)
    assert max(abs(alone[0] - alone[1]), abs(alone[0] - alone[2])) > 0.5


def first_logprob(answer):
    return next(event.logprobs[0].logprob for event in answer.events if isinstance(event, TextDelta) and event.logprobs)


def test_what_one_adapter_computed_is_no_prefix_for_another(model):
    first, other, again = (model.run(with_scales(**scales))[0] for scales in ({"red": 1}, {"blue": 1}, {"red": 1}))
    assert (first.usage.cached_tokens, other.usage.cached_tokens) == (0, 0)
    assert again.usage.cached_tokens > 0
    assert again.text == first.text


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ((LoraScale(adapter="green"),), r"\[0\] names adapter 'green', but this model's are: 0 \(red\), 1 \(blue\)"),
        ((LoraScale(adapter=0), LoraScale(adapter=2)), r"\[1\] names adapter 2"),
        ((LoraScale(adapter=0), LoraScale(adapter="red")), r"\[1\] names adapter 'red' again"),
    ],
)
def test_an_adapter_that_is_not_there_is_refused_by_name(model, chosen, words):
    with pytest.raises(EngineError, match=words) as refusal:
        model.submit(request(PROMPT, lora=chosen))
    assert refusal.value.param == "lora"


def test_vectors_are_computed_with_the_adapters_that_are_wanted(model):
    embedder = model.worker.embedder
    wishes = [None, (LoraScale(adapter="red"),), (LoraScale(adapter="blue"),), (LoraScale(adapter="red", scale=0),)]
    for number, wish in enumerate(wishes):
        embedder.add(embedder.prepare(number, EmbeddingRequest(model="m", inputs=(PROMPT,), lora=wish)))
    vectors = {}
    while not embedder.is_idle:
        results = {number: event for number, event in embedder.step() if isinstance(event, EmbeddingResult)}
        vectors |= {number: result.vectors[0] for number, result in results.items()}
    assert vectors[0] == vectors[3]
    assert len(set(vectors.values())) == 3


def _truncated(path):
    whole = path.read_bytes()
    path.with_name("truncated.gguf").write_bytes(whole[: len(whole) // 2])
    return "truncated.gguf"


def _text(path):
    path.with_name("text.gguf").write_text("no adapter at all")
    return "text.gguf"


@pytest.mark.parametrize("make", [_truncated, _text, lambda _: "missing.gguf", lambda _: "vector.gguf"])
def test_what_is_no_adapter_fails_the_load_with_its_name(files, make):
    name = make(files / "red.gguf")
    with pytest.raises(LlamaError, match=rf"the LoRA adapter {name} can't be loaded: \S"):
        load(lora=(LoraFile(name="bad", path=str(files / name)),))


def test_an_adapter_of_another_model_fails_the_load_with_the_reason(files, tmp_path):
    from tools.bench_model.tensor import Shape
    from tools.make_bench_model import write_model

    for architecture, words in (("qwen2", "arch mismatch"), ("llama", "wrong base model")):
        write_model(tmp_path / "other.gguf", Shape(architecture, 2, 64, 4, 2, 128, 1000, "Q8_0"), name="other")
        write_lora(tmp_path / "other-lora.gguf", tmp_path / "other.gguf")
        with pytest.raises(LlamaError, match=words):
            load(lora=(LoraFile(name="other", path=str(tmp_path / "other-lora.gguf")),))


def test_a_control_vector_changes_the_answer_as_strongly_as_its_scale_says(files):
    path = str(files / "vector.gguf")
    answers = []
    for scale in (0.0, 1.0):
        with load(steering=Steering(vectors=((path, scale),))) as worker:
            answers.append(InProcess(worker).run(request(PROMPT))[0].text)
    assert answers[0] == plain() != answers[1]


def test_two_control_vectors_add_up(files):
    path = str(files / "vector.gguf")
    with load(steering=Steering(vectors=((path, 1.0), (path, -1.0)))) as worker:
        assert InProcess(worker).run(request(PROMPT))[0].text == plain()


def test_a_control_vector_may_be_for_some_layers_only(files):
    answers = set()
    for layers in ((1, 1), (1, 3), None):
        with load(steering=Steering(vectors=((str(files / "vector.gguf"), 1.0),), layers=layers)) as worker:
            answers.add(InProcess(worker).run(request(PROMPT))[0].text)
    assert len(answers) == 3


@pytest.mark.parametrize(
    ("name", "layers", "words"),
    [
        ("missing.gguf", None, "missing.gguf can't be read"),
        ("red.gguf", None, "red.gguf is no control vector: it has a tensor"),
        ("vector.gguf", (0, 2), "control_vector_layers is 0-2; this model has layers 1 to"),
        ("vector.gguf", (3, 99), "control_vector_layers is 3-99"),
    ],
)
def test_a_control_vector_that_does_not_fit_fails_the_load_with_the_reason(files, name, layers, words):
    with pytest.raises(LlamaError, match=words):
        load(steering=Steering(vectors=((str(files / name), 1.0),), layers=layers))
