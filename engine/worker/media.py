"""Owns the way from a request's pictures and sounds to what stands for them in its prompt. Must not know templates, nor batches.

First each is cut, which tells how much of the context it will take; what is in a prompt that fits is then encoded, or was before. Both are
done in steps, between which other requests have theirs.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import msgspec

from engine.chat.prompts.media_marks import MediaMarks
from engine.errors import EngineError
from engine.llama.library import LlamaError
from engine.llama.projector import Piece, Projector, Span, Split, TokenPiece, Unreadable, Vectors
from engine.request import ChatPrompt, Media
from engine.worker.media_cache import EncodedMedia, MediaCache
from engine.worker.media_places import MediaPlaces, PlacedSpan, span_ids
from engine.worker.media_turns import Steps
from engine.worker.pictures import BrokenPicture, pixels_of


class ReadMedia:
    """One picture or sound of a request. `ids`: what stands for it in a prompt; `encoding_ns`: how long it took to encode it here."""

    def __init__(self, media: Media, key: bytes, source: EncodedMedia | Split) -> None:
        self.media = media
        self.key = key
        self.source = source
        self.encoding_ns = 0
        self.spans = [piece for piece in self.pieces if isinstance(piece, Span)]
        self.span_ids = [span_ids(_digest(media), number, span) for number, span in enumerate(self.spans)]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What the model reads of it, in order."""
        return self.source.pieces

    @property
    def vectors(self) -> tuple[Vectors, ...]:
        """What its spans hold, once it is encoded."""
        assert isinstance(self.source, EncodedMedia)
        return self.source.vectors

    @property
    def ids(self) -> list[int]:
        """What stands for it in a prompt: one number for each position."""
        upcoming = iter(self.span_ids)
        return [
            number
            for piece in self.pieces
            for number in (piece.tokens if isinstance(piece, TokenPiece) else next(upcoming))
        ]


class MediaReading:
    """The pictures and sounds of one request, by their number."""

    def __init__(self, reader: "MediaReader", read: Sequence[ReadMedia]) -> None:
        self._reader = reader
        self._read = read
        self._marks = MediaMarks()
        self._by_first_id = {ids[0]: (each, number) for each in read for number, ids in enumerate(each.span_ids) if ids}

    def marked(self, prompt: ChatPrompt) -> ChatPrompt:
        """The conversation with marks that `tokens` finds again."""
        if not self._read:
            return prompt
        return msgspec.structs.replace(prompt, messages=self._marks.marked(prompt.messages))

    def tokens(self, prompt: ChatPrompt, text: str, tokenize: Callable[[str], list[int]]) -> list[int]:
        """The tokens of the text that a template made of a marked conversation. EngineError where it left out a part of it."""
        if not self._read:
            return tokenize(text)
        left_out = self._marks.missing_from(text, prompt.messages)
        if left_out is not None:
            raise EngineError(
                "not_supported_by_model",
                "this model's chat template has no place for it",
                param=self._read[left_out].media.where,
            )
        pieces = self._marks.cut(text)
        return [
            number
            for piece in pieces
            for number in (self._read[piece].ids if isinstance(piece, int) else tokenize(piece))
        ]

    def rows(self, tokens: Sequence[int]) -> int:
        """How many cells of the KV cache a prompt takes."""
        return len(tokens) + sum(
            each.spans[number].rows - each.spans[number].length for _, each, number in self._in(tokens)
        )

    def places(self, tokens: Sequence[int], *, micro_batch_tokens: int) -> Steps[MediaPlaces]:
        """Where which vectors stand in a prompt; they are encoded now, one after the other."""
        found = list(self._in(tokens))
        for _, each, number in found:
            span = each.spans[number]
            if span.sees_all and span.rows > micro_batch_tokens:
                raise EngineError(
                    "invalid_request",
                    f"it takes {span.rows} tokens, which this model must compute in one pass of at most {micro_batch_tokens}; "
                    "the server's micro-batch-size setting sets that",
                    param=each.media.where,
                )
        for _, each, _ in found:
            yield from self._reader.encode(each)
        placed = [PlacedSpan(start, each.spans[number], each.vectors[number]) for start, each, number in found]
        return MediaPlaces(placed, sum(each.encoding_ns for each in set(self._read)))

    def _in(self, tokens: Sequence[int]) -> Iterator[tuple[int, ReadMedia, int]]:
        for position, token in enumerate(tokens if self._by_first_id else ()):
            found = self._by_first_id.get(token) if token < 0 else None
            if found is not None:
                yield position, *found


class MediaReader:
    """Reads media for one model; without a projector, none. Used by one thread, beside the decoding one, for several requests in turn."""

    def __init__(self, projector: Projector | None, cache: MediaCache) -> None:
        self._projector = projector
        self._cache = cache

    def reading(self, media: Sequence[Media], salt: str, stack: ExitStack) -> Steps[MediaReading]:
        """The media, cut one after the other: what is cut lives as long as `stack`. EngineError names the first that can't be read.
        `salt`: as GenerationRequest.cache_salt."""
        read: list[ReadMedia] = []
        known: dict[bytes, ReadMedia] = {}
        for each in media:
            key = hashlib.sha256(salt.encode()).digest() + _digest(each)
            if key not in known:
                known[key] = self._read(each, key, stack)
                yield
            read.append(known[key])
        return MediaReading(self, read)

    def encode(self, read: ReadMedia) -> Steps[None]:
        """Have the vectors of what was cut, one span after the other, unless another request has had them made meanwhile."""
        split = read.source
        if not isinstance(split, Split):
            return
        encoded = self._cache.find_again(read.key)
        if encoded is None:
            vectors: list[Vectors] = []
            for number in range(len(read.spans)):
                vectors.append(self._encoded(read, split, number))
                yield
            encoded = EncodedMedia(split.pieces, tuple(vectors))
            self._cache.keep(read.key, encoded)
        read.source = encoded
        split.close()

    def _encoded(self, read: ReadMedia, split: Split, number: int) -> Vectors:
        assert self._projector is not None
        began = time.monotonic_ns()
        try:
            return self._projector.encode(split, number)
        except Unreadable as error:
            raise _unreadable(read.media, error) from error
        except LlamaError as error:
            raise EngineError("internal", str(error), param=read.media.where) from error
        finally:
            read.encoding_ns += time.monotonic_ns() - began

    def _read(self, media: Media, key: bytes, stack: ExitStack) -> ReadMedia:
        encoded = self._cache.find(key)
        return ReadMedia(media, key, stack.enter_context(self._split(media)) if encoded is None else encoded)

    def _split(self, media: Media) -> Split:
        projector = self._projector
        if projector is None or not (projector.sees if media.kind == "image" else projector.hears):
            what = "pictures" if media.kind == "image" else "sound"
            raise EngineError("not_supported_by_model", f"this model takes no {what}", param=media.where)
        try:
            if media.kind == "image":
                return projector.split_picture(pixels_of(media.content, media.most_side_pixels))
            return projector.split_sound(media.content)
        except (BrokenPicture, Unreadable) as error:
            raise _unreadable(media, error) from error


def _unreadable(media: Media, reason: Exception) -> EngineError:
    return EngineError("invalid_request", f"it can't be read: {reason}", param=media.where)


def _digest(media: Media) -> bytes:
    """What only the same content, looked at in the same way, has."""
    return hashlib.sha256(f"{media.kind} {media.most_side_pixels}\n".encode() + media.content).digest()
