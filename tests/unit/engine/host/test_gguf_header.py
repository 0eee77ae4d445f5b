"""The GGUF header reader: right on what the reference writer writes, bounded and clear on everything else."""

import os
import struct
import time
import tracemalloc

import gguf as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import CatalogError
from engine.host.gguf_header import read_header, strings_among
from tests.gguf_bytes import gguf, model, pair, tensor, text, u32, u64

KEY = text("general.architecture")
HUGE = 1 << 60
WHOLE = model(tokenizer__ggml__tokens=[f"token {number}" for number in range(100)])

HOSTILE = {
    "empty": (b"", "truncated"),
    "not GGUF": (b"PK\x03\x04" + bytes(100), "does not begin with 'GGUF'"),
    "only the magic": (b"GGUF", "truncated"),
    "old version": (b"GGUF" + u32(1) + bytes(16), "GGUF version 1"),
    "future version": (b"GGUF" + u32(77) + bytes(16), "GGUF version 77"),
    "big-endian": (b"GGUF" + struct.pack(">I", 3) + bytes(16), "big-endian"),
    "absurd key count": (b"GGUF" + u32(3) + u64(0) + u64(HUGE), "announces"),
    "absurd tensor count": (b"GGUF" + u32(3) + u64(HUGE) + u64(0), "announces"),
    "absurd key length": (b"GGUF" + u32(3) + u64(0) + u64(1) + u64(HUGE), "string of"),
    "absurd text length": (gguf([KEY + u32(8) + u64(HUGE)]), "string of"),
    "text past the end": (gguf([KEY + u32(8) + u64(100_000)]), "truncated"),
    "absurd array of numbers": (gguf([KEY + u32(9) + u32(4) + u64(HUGE)]), "truncated"),
    "absurd array of texts": (gguf([KEY + u32(9) + u32(8) + u64(HUGE)]), "strings"),
    "array of texts past the end": (gguf([KEY + u32(9) + u32(8) + u64(100_000)], weights=b""), "truncated"),
    "absurd text in an array": (gguf([KEY + u32(9) + u32(8) + u64(100) + u64(2**64 - 1)]), "truncated"),
    "nested array": (gguf([KEY + u32(9) + u32(9) + u64(1) + u32(9) + u64(1)]), "unknown value type 9"),
    "unknown value type": (gguf([KEY + u32(99) + bytes(8)]), "unknown value type 99"),
    "key twice": (gguf([pair("general.name", "a"), pair("general.name", "b")]), "stands twice"),
    "tensor with many dimensions": (gguf([], [text("t") + u32(5) + bytes(100)]), "5 dimensions"),
    "tensor of impossible size": (gguf([], [tensor("t", (2**40, 2**40))]), "impossible size"),
    "tensor beyond the file": (gguf([], [tensor("t", offset=HUGE)]), "tensor data is truncated"),
    "half of the weights": (
        gguf([], [tensor("t", (32, 8))], weights=bytes(128)),
        "it needs 368 bytes, but the file has 193",
    ),
    "absurd alignment": (gguf([pair("general.alignment", 0)]), "general.alignment is 0"),
}


def write(tmp_path, content):
    path = tmp_path / "file.gguf"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(("content", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_header_is_refused_with_one_line_that_names_the_file(tmp_path, content, reason):
    path = write(tmp_path, content)
    with pytest.raises(CatalogError) as caught:
        read_header(path)
    assert reason in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_truncation_of_a_header_is_refused(tmp_path):
    header_end = len(WHOLE) - 256
    for length in range(0, header_end, 7):
        with pytest.raises(CatalogError):
            read_header(write(tmp_path, WHOLE[:length]))


@settings(max_examples=200, deadline=None)
@given(position=st.integers(4, len(WHOLE) - 257), value=st.integers(0, 255))
def test_a_damaged_byte_costs_an_answer_or_a_refusal_and_nothing_else(tmp_path_factory, position, value):
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(WHOLE[:position] + bytes([value]) + WHOLE[position + 1 :])
    try:
        header = read_header(path)
    except CatalogError:
        return
    assert len(header.values) == 3


def test_a_sparse_giant_full_of_empty_strings_costs_bounded_time_and_memory(tmp_path):
    path = write(tmp_path, gguf([KEY + u32(9) + u32(8) + u64(1 << 18)], weights=b""))
    os.truncate(path, 1 << 40)
    tracemalloc.start()
    try:
        assert read_header(path).lengths == {"general.architecture": 1 << 18}
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2 << 20


def test_more_text_than_a_header_ever_has_is_refused_before_it_fills_the_memory(tmp_path):
    path = write(tmp_path, gguf([text(f"k{number}") + u32(8) + text(bytes(9 << 20)) for number in range(8)]))
    with pytest.raises(CatalogError, match="holds more than"):
        read_header(path)


def test_a_pipe_is_refused_at_once(tmp_path):
    path = tmp_path / "pipe.gguf"
    os.mkfifo(path)
    with pytest.raises(CatalogError, match="not a regular file"):
        read_header(path)


def test_what_the_reference_writer_writes_is_read_back(tmp_path):
    path = tmp_path / "reference.gguf"
    writer = reference.GGUFWriter(path, "llama")
    writer.add_uint8("a.u8", 200)
    writer.add_int8("a.i8", -100)
    writer.add_uint16("a.u16", 60000)
    writer.add_int16("a.i16", -30000)
    writer.add_int32("a.i32", -5)
    writer.add_float32("a.f32", 0.5)
    writer.add_uint64("a.u64", 2**64 - 1)
    writer.add_int64("a.i64", -(2**63))
    writer.add_float64("a.f64", 0.1)
    writer.add_bool("a.bool", True)
    writer.add_string("a.text", "grüße")
    writer.add_array("a.small", [1, 2, 3])
    writer.add_array("a.texts", ["x", "y"])
    writer.add_array("a.big", list(range(1000)))
    writer.add_token_list([f"t{number}" for number in range(1000)])
    writer.add_tensor("w", np.zeros((3, 64), dtype=np.float32))
    writer.add_tensor("b", np.zeros(7, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    header = read_header(path)
    whole = read_header(path, whole_arrays=True)

    plain = {key: value for key, value in header.values.items() if key.startswith("a.")}
    assert plain == {
        "a.u8": 200,
        "a.i8": -100,
        "a.u16": 60000,
        "a.i16": -30000,
        "a.i32": -5,
        "a.f32": 0.5,
        "a.u64": 2**64 - 1,
        "a.i64": -(2**63),
        "a.f64": 0.1,
        "a.bool": True,
        "a.text": "grüße",
        "a.small": [1, 2, 3],
        "a.texts": ["x", "y"],
        "a.big": None,
    }
    assert header.lengths["a.big"] == 1000
    assert [tuple(entry) for entry in header.tensors] == [("w", 0, (64, 3)), ("b", 1, (7,))]
    assert whole.values["a.big"] == list(range(1000))
    assert whole.values["tokenizer.ggml.tokens"][-1] == "t999"
    assert strings_among(path, header.spans["tokenizer.ggml.tokens"], ("t500", "500", "t50 ", "t1")) == {"t500", "t1"}


def test_a_vocabulary_of_150_000_tokens_costs_little(tmp_path):
    tokens = [f"token{number}" for number in range(150_000)]
    path = write(tmp_path, model(tokenizer__ggml__tokens=tokens, tokenizer__ggml__merges=tokens))
    begun = time.process_time()
    header = read_header(path)
    assert header.lengths["tokenizer.ggml.merges"] == 150_000
    assert time.process_time() - begun < 0.5
