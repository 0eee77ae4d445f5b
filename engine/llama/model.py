"""Owns a loaded model file: its weights and its vocabulary. Must not know contexts, sequences or requests."""

import ctypes
import itertools
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import llama_cpp

from engine.config import Placement
from engine.llama import library, placement
from engine.llama.library import LlamaError
from engine.llama.resource import Resource
from engine.llama.segments import SEGMENT_CHARACTERS, Segments

Pooling = Literal["none", "mean", "cls", "last", "rank"]

_POOLINGS: tuple[Pooling, ...] = ("none", "mean", "cls", "last", "rank")
_PIECE_BYTES = 256
_TEMPLATE_PREFIX = "tokenizer.chat_template."
_ANYWHERE = Placement()


class Model(Resource):
    """The weights and vocabulary of one GGUF file."""

    def __init__(self, path: Path, at: Placement = _ANYWHERE, *, end_marks: tuple[str, ...] = ()) -> None:
        """Load `path`. `end_marks`: control tokens of it that end a generation whatever the file says of them. LlamaError says why
        it can't be."""
        library.start()
        library.forget_errors()
        self._params = params = placement.to_c(at)  # llama.cpp reads its arrays as long as the model lives
        handle = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not handle:
            raise LlamaError(f"llama.cpp can't load {path.name}: {library.last_errors() or 'it gave no reason'}")
        super().__init__(handle, llama_cpp.llama_model_free)
        self.vocab: Any = llama_cpp.llama_model_get_vocab(handle)
        self.gpu_layers = self._layers_on_gpu(params.n_gpu_layers)
        self.vocabulary_size: int = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self._end_marks = end_marks
        self._pieces: dict[tuple[int, bool], bytes] = {}
        self._segments_of: dict[bool, Segments] = {}

    def _layers_on_gpu(self, wanted: int) -> int:
        """The output counts as one more layer; a negative number means all."""
        everything = self.n_layers + 1
        return min(wanted if wanted >= 0 else everything, everything) if library.supports_gpu() else 0

    @cached_property
    def n_layers(self) -> int:
        """Number of transformer blocks."""
        return int(llama_cpp.llama_model_n_layer(self._handle))

    @cached_property
    def context_length(self) -> int:
        """The context it was trained for, in tokens."""
        return int(llama_cpp.llama_model_n_ctx_train(self._handle))

    @cached_property
    def embedding_length(self) -> int:
        """Width of the vectors that it embeds to."""
        return int(llama_cpp.llama_model_n_embd_out(self._handle))

    @cached_property
    def width(self) -> int:
        """Width of its hidden state."""
        return int(llama_cpp.llama_model_n_embd(self._handle))

    @cached_property
    def input_width(self) -> int:
        """Width of the vectors that it reads in place of tokens."""
        return int(llama_cpp.llama_model_n_embd_inp(self._handle))

    @cached_property
    def size_bytes(self) -> int:
        """Size of all its tensors."""
        return int(llama_cpp.llama_model_size(self._handle))

    @property
    def gpu_bytes(self) -> int:
        """How much of them lies on GPUs."""
        return self.size_bytes * self.gpu_layers // (self.n_layers + 1)

    @cached_property
    def removes_partially(self) -> bool:
        """Whether a part of a sequence can be taken from its memory: not where the state is a running summary."""
        recurrent = llama_cpp.llama_model_is_recurrent(self._handle) or llama_cpp.llama_model_is_hybrid(self._handle)
        return not recurrent

    @cached_property
    def window_tokens(self) -> int:
        """How far back the layers with a sliding window look; 0 where none has one."""
        return int(llama_cpp.llama_model_n_swa(self._handle))

    @cached_property
    def has_encoder(self) -> bool:
        """Whether it computes with an encoder (T5 and the like)."""
        return bool(llama_cpp.llama_model_has_encoder(self._handle))

    def metadata(self, key: str) -> str | None:
        """A GGUF metadata value as text; None where the file has none."""
        buffer = ctypes.create_string_buffer(256)
        length = llama_cpp.llama_model_meta_val_str(self._handle, key.encode(), buffer, len(buffer))
        return None if length < 0 else buffer.value.decode("utf-8", "replace")

    @cached_property
    def architecture(self) -> str:
        """GGUF's `general.architecture`."""
        return self.metadata("general.architecture") or ""

    @cached_property
    def pooling(self) -> Pooling:
        """How the model wants its tokens' vectors made one."""
        value = self.metadata(f"{self.architecture}.pooling_type")
        return (
            _POOLINGS[int(value)] if value is not None and value.isdigit() and int(value) < len(_POOLINGS) else "none"
        )

    @cached_property
    def is_causal(self) -> bool:
        """Whether a token sees only those before it."""
        return self.metadata(f"{self.architecture}.attention.causal") != "false"

    @cached_property
    def chat_template(self) -> str | None:
        """The Jinja source of its default chat template."""
        template = llama_cpp.llama_model_chat_template(self._handle, None)
        return template.decode("utf-8", "replace") if template else None

    @cached_property
    def named_templates(self) -> dict[str, str]:
        """The Jinja sources of its other chat templates, by name (GGUF's `tokenizer.chat_template.NAME`)."""
        names = (
            key.removeprefix(_TEMPLATE_PREFIX) for key in self._metadata_keys() if key.startswith(_TEMPLATE_PREFIX)
        )
        found = {name: llama_cpp.llama_model_chat_template(self._handle, name.encode()) for name in names}
        return {name: source.decode("utf-8", "replace") for name, source in found.items() if source}

    def _metadata_keys(self) -> Iterator[str]:
        buffer = ctypes.create_string_buffer(256)
        for number in range(llama_cpp.llama_model_meta_count(self._handle)):
            if llama_cpp.llama_model_meta_key_by_index(self._handle, number, buffer, len(buffer)) >= 0:
                yield buffer.value.decode("utf-8", "replace")

    @cached_property
    def rerank_template(self) -> str | None:
        """How a ranking model wants its prompt: a text with `{query}` and `{document}` in it."""
        template = llama_cpp.llama_model_chat_template(self._handle, b"rerank")
        return template.decode("utf-8", "replace") if template else None

    @cached_property
    def class_labels(self) -> tuple[str, ...]:
        """What the outputs of a ranking model's classification head mean; one empty label where it has one output."""
        labels = (
            llama_cpp.llama_model_cls_label(self._handle, number)
            for number in range(llama_cpp.llama_model_n_cls_out(self._handle))
        )
        return tuple((label or b"").decode("utf-8", "replace") for label in labels)

    @cached_property
    def end_tokens(self) -> tuple[int, ...]:
        """Every token that ends a generation."""
        marks = {token for mark in self._end_marks if (token := self._control_token(mark)) is not None}
        return tuple(
            t for t in range(self.vocabulary_size) if t in marks or llama_cpp.llama_vocab_is_eog(self.vocab, t)
        )

    def _control_token(self, text: str) -> int | None:
        """The control token of this text; None where there is none."""
        tokens = self._tokenize(text, False, True)
        is_control = len(tokens) == 1 and (
            llama_cpp.llama_vocab_get_attr(self.vocab, tokens[0]) & llama_cpp.LLAMA_TOKEN_ATTR_CONTROL
        )
        return tokens[0] if is_control else None

    @cached_property
    def bos_token(self) -> int | None:
        """The beginning-of-sequence token, where the model wants one in front of a text."""
        wanted = llama_cpp.llama_vocab_get_add_bos(self.vocab)
        return _token_or_none(llama_cpp.llama_vocab_bos(self.vocab)) if wanted else None

    @cached_property
    def separator_token(self) -> int | None:
        """The token that an encoder expects at the end of a text."""
        return _token_or_none(llama_cpp.llama_vocab_sep(self.vocab))

    @cached_property
    def surroundings(self) -> tuple[list[int], list[int]]:
        """The tokens that the model wants before and after a text."""
        tokens = self._tokenize("", True, False)
        begins = tokens[:1] == [self.bos_token]
        return (tokens[:1], tokens[1:]) if begins else ([], tokens)

    @cached_property
    def pair_separators(self) -> list[int]:
        """The tokens that an encoder expects between two texts that it reads together."""
        wanted = (
            (llama_cpp.llama_vocab_get_add_eos(self.vocab), llama_cpp.llama_vocab_eos(self.vocab)),
            (llama_cpp.llama_vocab_get_add_sep(self.vocab), llama_cpp.llama_vocab_sep(self.vocab)),
        )
        return [token for added, token in wanted if added and token >= 0]

    @cached_property
    def infill_tokens(self) -> tuple[int, int, int] | None:
        """The tokens before a prefix, before a suffix and before the middle; None where the vocabulary lacks one."""
        found = [
            _token_or_none(get(self.vocab))
            for get in (llama_cpp.llama_vocab_fim_pre, llama_cpp.llama_vocab_fim_suf, llama_cpp.llama_vocab_fim_mid)
        ]
        prefix, suffix, middle = found
        return None if prefix is None or suffix is None or middle is None else (prefix, suffix, middle)

    def is_special(self, token: int) -> bool:
        """Whether the token steers the model and is no text: control tokens, and markers like `<tool_call>` of the model's own."""
        attributes = llama_cpp.llama_vocab_get_attr(self.vocab, token)
        if attributes & llama_cpp.LLAMA_TOKEN_ATTR_CONTROL:
            return True
        if not attributes & llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED:
            return False
        piece = self.piece(token, special=True)
        return piece.startswith(b"<") and piece.endswith(b">")

    def special_text(self, which: Literal["bos", "eos"]) -> str:
        """The text of the beginning- or end-of-sequence token, as chat templates write it; empty where there is none."""
        token = llama_cpp.llama_vocab_bos(self.vocab) if which == "bos" else llama_cpp.llama_vocab_eos(self.vocab)
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Token ids of `text`. Safe in any thread: the vocabulary is read only."""
        if len(text) <= SEGMENT_CHARACTERS:
            return self._tokenize(text, add_special, parse_special)
        parts = (self._tokenize(part, False, parse_special) for part in self._segments(parse_special).of(text))
        before, after = self.surroundings if add_special else ([], [])
        return [*before, *itertools.chain.from_iterable(parts), *after]

    def _tokenize(self, text: str, add_special: bool, parse_special: bool) -> list[int]:
        raw = text.encode("utf-8", "surrogatepass")
        room = len(raw) + 8
        while True:
            tokens = (llama_cpp.llama_token * room)()
            count = llama_cpp.llama_tokenize(self.vocab, raw, len(raw), tokens, room, add_special, parse_special)
            if count >= 0:
                return tokens[:count]
            if count == -(1 << 31):
                raise LlamaError(f"a text of {len(raw)} bytes is too long to tokenize")
            room = -count

    def _segments(self, parse_special: bool) -> Segments:
        known = self._segments_of.get(parse_special)
        if known is None:
            known = self._segments_of[parse_special] = Segments(self._markers(parse_special))
        return known

    def _markers(self, parse_special: bool) -> list[str]:
        """The tokens that llama.cpp looks for in a text before anything else. None where one takes white space before it along."""
        wanted = llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
        if parse_special:
            wanted |= llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
        attributes = [llama_cpp.llama_vocab_get_attr(self.vocab, token) for token in range(self.vocabulary_size)]
        found = [token for token, attribute in enumerate(attributes) if attribute & wanted]
        if any(attributes[token] & llama_cpp.LLAMA_TOKEN_ATTR_LSTRIP for token in found):
            return []
        return [llama_cpp.llama_vocab_get_text(self.vocab, token).decode("utf-8", "replace") for token in found]

    def pieces(self) -> Iterator[bytes]:
        """Every token's bytes, those of control tokens too; remembers none, since a whole vocabulary takes tens of megabytes."""
        for token in range(self.vocabulary_size):
            yield self._read_piece(token, special=True)

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes a token stands for, possibly a part of a character; control tokens have some only if `special`."""
        known = self._pieces.get((token, special))
        if known is None:
            known = self._pieces[token, special] = self._read_piece(token, special)
        return known

    def _read_piece(self, token: int, special: bool) -> bytes:
        room = _PIECE_BYTES
        while True:
            buffer = (ctypes.c_char * room)()
            length = llama_cpp.llama_token_to_piece(self.vocab, token, buffer, room, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            room = -length


def _token_or_none(token: int) -> int | None:
    return token if token >= 0 else None
