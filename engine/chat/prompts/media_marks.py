"""Where pictures and sound stand in a conversation's prompt: marks that pass through the chat template, and are cut out of its text.

Templates get text with a mark in place of each part; what a model needs around a picture is its projector's business. Must not know
what the parts hold, nor tokens.
"""

import itertools
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence

from engine.request import JsonObject

MEDIA_PARTS = ("image", "audio")
"""The types of content parts that stand for a picture or a sound; the first in a conversation for its first, and so on."""


class MediaMarks:
    """The marks of one prompt: made of random text, so that none can be written by who writes the messages."""

    def __init__(self) -> None:
        self._secret = secrets.token_hex(8)
        self._pattern = re.compile(f"<__media_{self._secret}_([0-9]+)__>")

    def marked(self, messages: Iterable[JsonObject]) -> tuple[JsonObject, ...]:
        """The messages with text in place of content parts, with a mark for each picture and sound, which are numbered from 0.

        Texts beside each other are parted by a line end; a mark stands by itself, as llama.cpp has it.
        """
        upcoming = itertools.count()
        return tuple(
            {**message, "content": self._text(message["content"], upcoming)} if _has_media(message) else message
            for message in messages
        )

    def cut(self, text: str) -> list[str | int]:
        """A prompt's texts and, between them, the numbers of the pictures and sounds that stand there."""
        pieces = self._pattern.split(text)
        return [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]

    def missing_from(self, text: str, messages: Iterable[JsonObject]) -> int | None:
        """The first picture or sound of marked messages that has no place in the text; None where each has."""
        contents = (message.get("content") for message in messages)
        wanted = (number for content in contents if isinstance(content, str) for number in self._numbers(content))
        there = set(self._numbers(text))
        return next((number for number in wanted if number not in there), None)

    def _numbers(self, text: str) -> list[int]:
        return [int(number) for number in self._pattern.findall(text)]

    def _text(self, parts: Sequence[JsonObject], upcoming: Iterator[int]) -> str:
        pieces: list[str] = []
        is_behind_text = False
        for part in parts:
            if part["type"] in MEDIA_PARTS:
                pieces.append(f"<__media_{self._secret}_{next(upcoming)}__>")
                is_behind_text = False
            else:
                pieces.extend(("\n", part["text"]) if is_behind_text else (part["text"],))
                is_behind_text = True
        return "".join(pieces)


def _has_media(message: JsonObject) -> bool:
    content = message.get("content")
    return isinstance(content, list | tuple) and any(part["type"] in MEDIA_PARTS for part in content)
