"""`python -m tools.convert_encoder DIRECTORY FILE.gguf`: a sentence encoder from Hugging Face's files to GGUF.

Owns the translation of one family: BERT with a lower-case WordPiece vocabulary, whose token vectors are averaged or whose first is
taken (all-MiniLM, BGE, E5, GTE ...). llama.cpp's own converter knows many more and needs PyTorch, this one does not.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

Array = npt.NDArray[Any]
Json = Mapping[str, Any]

_UNUSED = ("pooler.", "embeddings.position_ids", "cls.")
"""Of other tasks than embedding."""
_SINGLE_PRECISION = ("position_embd", "token_types")
_POOLINGS = {
    "pooling_mode_mean_tokens": gguf.PoolingType.MEAN,
    "pooling_mode_cls_token": gguf.PoolingType.CLS,
}
_SPECIAL = {
    "[PAD]": gguf.GGUFWriter.add_pad_token_id,
    "[UNK]": gguf.GGUFWriter.add_unk_token_id,
    "[CLS]": gguf.GGUFWriter.add_bos_token_id,
    "[SEP]": gguf.GGUFWriter.add_sep_token_id,
    "[MASK]": gguf.GGUFWriter.add_mask_token_id,
}


class CannotConvert(Exception):
    """The directory does not hold what this tool converts. The text is one line."""


def convert(directory: Path, file: Path) -> None:
    """Write the model in `directory` to `file`, its matrices in half precision. Raises CannotConvert."""
    config = _json(directory / "config.json")
    if config.get("model_type") != "bert" or config.get("position_embedding_type", "absolute") != "absolute":
        raise CannotConvert(
            f"{directory}: expected a BERT with absolute positions, but it is {config.get('model_type')!r}"
        )
    pooling = _pooling(directory)
    tokens = _tokens(directory / "tokenizer.json", config["vocab_size"])
    writer = gguf.GGUFWriter(file, "bert")
    writer.add_name(config.get("_name_or_path", directory.name))
    _add_dimensions(writer, config, pooling)
    _add_vocabulary(writer, tokens, config)
    for name, array in _tensors(directory / "model.safetensors", config["num_hidden_layers"]):
        writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _json(path: Path) -> Json:
    try:
        value: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotConvert(f"{path}: cannot be read: {error}") from None
    return value


def _pooling(directory: Path) -> gguf.PoolingType:
    """How the token vectors become one, as sentence-transformers' files say it."""
    config = _json(directory / "1_Pooling" / "config.json")
    wanted = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    if len(wanted) != 1 or wanted[0] not in _POOLINGS:
        raise CannotConvert(f"{directory}: expected one of {', '.join(_POOLINGS)}, but it has {wanted}")
    return _POOLINGS[wanted[0]]


def _tokens(path: Path, count: int) -> list[str]:
    """The vocabulary by id."""
    tokenizer = _json(path)
    kind = tokenizer["model"].get("type", "WordPiece")
    if kind != "WordPiece" or not (tokenizer.get("normalizer") or {}).get("lowercase"):
        raise CannotConvert(f"{path}: expected a lower-case WordPiece vocabulary, but it is a {kind}")
    by_id = {number: token for token, number in tokenizer["model"]["vocab"].items()}
    if by_id.keys() != set(range(count)) or not _SPECIAL.keys() <= set(by_id.values()):
        raise CannotConvert(f"{path}: expected tokens of the ids 0 to {count - 1}, among them {', '.join(_SPECIAL)}")
    return [by_id[number] for number in range(count)]


def _add_dimensions(writer: gguf.GGUFWriter, config: Json, pooling: gguf.PoolingType) -> None:
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(pooling)


def _add_vocabulary(writer: gguf.GGUFWriter, tokens: list[str], config: Json) -> None:
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_spelled(token) for token in tokens])
    writer.add_token_types([gguf.TokenType.CONTROL if t in _SPECIAL else gguf.TokenType.NORMAL for t in tokens])
    writer.add_token_type_count(config["type_vocab_size"])
    for token, add in _SPECIAL.items():
        add(writer, tokens.index(token))  # that it is there was checked


def _spelled(token: str) -> str:
    """As GGUF files have it: a mark at the beginning of words in place of WordPiece's mark inside of them."""
    if token in _SPECIAL:
        return token
    return token.removeprefix("##") if token.startswith("##") else f"\u2581{token}"


def _tensors(path: Path, layers: int) -> Iterator[tuple[str, Array]]:
    """Every tensor under its name in GGUF files: matrices in half precision, the rest in single."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, layers)
    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CannotConvert(f"{path}: cannot be read: {error}") from None
    for key, array in sorted(found.items()):
        name = key.removeprefix("bert.")
        if name.startswith(_UNUSED):
            continue
        known = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if known is None:
            raise CannotConvert(f"{path}: the tensor {key!r} belongs to no BERT that is known here")
        half = array.ndim > 1 and not known.startswith(_SINGLE_PRECISION)
        yield known, array.astype(np.float16 if half else np.float32)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="convert_encoder", description="Write a sentence encoder as GGUF.")
    parser.add_argument(
        "directory", type=Path, help="with config.json, tokenizer.json, model.safetensors and 1_Pooling"
    )
    parser.add_argument("file", type=Path)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Convert one model."""
    arguments = _arguments(argv)
    try:
        convert(arguments.directory, arguments.file)
    except CannotConvert as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{arguments.file}: {arguments.file.stat().st_size / 2**20:,.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
