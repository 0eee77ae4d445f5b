"""What a token takes in the KV cache is told from the file of any kind of model, and never as more than it is."""

import pytest

from engine.config import Attention, Drafting, LoadParams
from engine.host.kv_cells import cell_bytes, draft_cell_bytes
from engine.host.metadata import read_metadata
from tests.gguf_bytes import gguf, pair, tensor
from tools.bench_model.shapes import PRESETS
from tools.make_bench_model import write_model

LAYERS_THAT_ATTEND = {"test-attention": 3, "test-window": 4, "test-recurrent": 0, "test-hybrid": 2, "ranker": 0}


@pytest.mark.parametrize("kind", LAYERS_THAT_ATTEND)
def test_every_layer_that_attends_keeps_a_key_and_a_value(kind, tmp_path):
    path, shape = tmp_path / "model.gguf", PRESETS[kind]
    write_model(path, shape, name=kind)
    numbers = LAYERS_THAT_ATTEND[kind] * shape.kv_width
    metadata = read_metadata((path,))
    assert cell_bytes(metadata, Attention()) == numbers * 4
    assert cell_bytes(metadata, Attention(cache_type_k="q8_0", cache_type_v="q4_0")) == numbers * (34 + 18) // 32


def test_a_draft_model_has_a_cache_of_its_own(tmp_path):
    path, shape = tmp_path / "draft.gguf", PRESETS["test-attention"]
    write_model(path, shape, name="draft")
    params = LoadParams(drafting=Drafting(model=str(path)))
    assert draft_cell_bytes(params) == 3 * shape.kv_width * 4
    assert draft_cell_bytes(LoadParams()) == 0
    assert draft_cell_bytes(LoadParams(drafting=Drafting(model=str(tmp_path / "nobody.gguf")))) == 0


def metadata(tmp_path, *shapes, **values):
    pairs = [pair("general.architecture", "llama"), *(pair(f"llama.{key}", value) for key, value in values.items())]
    tensors = [tensor(f"blk.{layer}.{name}.weight", shape) for layer, name, shape in shapes]
    (tmp_path / "model.gguf").write_bytes(gguf(pairs, tensors, weights=bytes(1 << 20)))
    return read_metadata((tmp_path / "model.gguf",))


def test_queries_written_beside_keys_and_values_are_not_kept(tmp_path):
    heads = {"attention.head_count": 4, "embedding_length": 128}
    assert cell_bytes(metadata(tmp_path, (0, "attn_qkv", (128, 128 + 64)), **heads), Attention()) == 64 * 2
    longer = {**heads, "attention.key_length": 40}
    assert cell_bytes(metadata(tmp_path, (0, "attn_qkv", (128, 160 + 80)), **longer), Attention()) == 80 * 2
    unknown = metadata(tmp_path, (0, "attn_qkv", (128, 192)), (0, "ssm_out", (32, 32)), **heads)
    assert cell_bytes(unknown, Attention()) == 0


def test_a_compressed_vector_is_kept_once(tmp_path):
    assert cell_bytes(metadata(tmp_path, (0, "attn_kv_a_mqa", (128, 96))), Attention()) == 96 * 2


def test_layers_that_use_anothers_cache_keep_nothing(tmp_path):
    layers = [(number, name, (32, 32)) for number in range(4) for name in ("attn_k", "attn_v")]
    shared = {"attention.shared_kv_layers": 3}
    assert cell_bytes(metadata(tmp_path, *layers, **shared), Attention()) == 64 * 2
