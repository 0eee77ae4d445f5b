"""Owns what one token takes in a model's KV cache, told from its file. Must not know how much memory there is.

Never more than it is: where an architecture is unknown in some respect, the part in question counts nothing.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any

from engine.config import Attention, CacheType, LoadParams
from engine.errors import CatalogError
from engine.host.catalog import parts_of
from engine.host.metadata import ModelMetadata, read_metadata

_ELEMENT_BYTES: dict[CacheType, float] = {
    "f32": 4,
    "f16": 2,
    "bf16": 2,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}


def cell_bytes(metadata: ModelMetadata, attention: Attention) -> int:
    """What the keys and values of one token take in all layers that attend; layers with a running state keep none. A sliding
    window's are all kept too, so that a prefix of them can be resumed."""
    if "completion" not in metadata.capabilities:
        return 0
    layers: dict[int, dict[str, int]] = defaultdict(dict)
    for tensor in metadata.shapes:
        block, _, name = tensor.name.removeprefix("blk.").partition(".")
        if tensor.name.startswith("blk.") and block.isdecimal() and len(tensor.shape) > 1:
            layers[int(block)][name] = tensor.shape[1]
    kept = len(layers) - sum(_number(metadata, key) for key in ("attention.shared_kv_layers", "nextn_predict_layers"))
    k_bytes, v_bytes = _ELEMENT_BYTES[attention.cache_type_k], _ELEMENT_BYTES[attention.cache_type_v]
    widths = [_widths(layers[layer], metadata) for layer in sorted(layers)[: max(0, kept)]]
    return int(sum(keys * k_bytes + values * v_bytes for keys, values in widths))


def draft_cell_bytes(load: LoadParams) -> int:
    """What a token takes beside that in the cache of the small model that guesses, which has as much context; 0 without one, and where
    its file can't be read: loading it says why."""
    if load.drafting.model is None:
        return 0
    try:
        return cell_bytes(read_metadata(parts_of(Path(load.drafting.model))), load.attention)
    except CatalogError:
        return 0


def _widths(rows: dict[str, int], metadata: ModelMetadata) -> tuple[int, int]:
    """Numbers of a key and of a value in a layer with weights of so many `rows`."""
    if "attn_k.weight" in rows:
        keys = rows["attn_k.weight"]
        return keys, rows.get("attn_v.weight", keys)
    if "attn_kv_a_mqa.weight" in rows:  # one compressed vector, of which the values are a part
        return rows["attn_kv_a_mqa.weight"], 0
    heads = _number(metadata, "attention.head_count")
    if "attn_qkv.weight" not in rows or not heads or any(name.startswith("ssm_") for name in rows):
        return 0, 0
    head = _number(metadata, "attention.key_length") or (metadata.embedding_length or 0) // heads
    both = max(0, rows["attn_qkv.weight"] - heads * head)
    return both // 2, both // 2


def _number(metadata: ModelMetadata, key: str) -> int:
    """A number that the file has for its architecture; 0 where it has none."""
    value: Any = metadata.values.get(f"{metadata.architecture}.{key}")
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
