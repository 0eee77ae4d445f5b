"""Text that grows while it is read: what lets a reader be written as if all of its text were there already.

A reader is a generator that yields where it needs more text, and reads the same however the text is cut. Owns what of the text is certain,
what may still turn out to be the beginning of a mark, and the way back to where a reader began. Must not know what is read.
"""

import re
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

from engine.chat.reader.json_text import JsonScanner, NotJson

WHITE_SPACE = " \t\r\n"

Result = TypeVar("Result")
Reading = Generator[None, None, Result]
"""A reader: yields where it waits for more text, returns what it has read."""
Emit = Callable[[str], None]

_TRIMMED_CHARACTERS = 1 << 14


class Unreadable(Exception):
    """The text is not what the reader reads."""


class Marks:
    """Some texts to look for. `loose`: those of them that may also be text like any other."""

    def __init__(self, texts: Iterable[str], loose: Iterable[str] = ()) -> None:
        self.texts = tuple(sorted(texts, key=len, reverse=True))
        self._loose = frozenset(loose)
        self.pattern = re.compile("|".join(map(re.escape, self.texts)) or "(?!)")
        self._beginnings = {text[:length] for text in self.texts for length in range(1, len(text))}
        self._longest = max(map(len, self._beginnings), default=0)

    def beginning_at_end(self, text: str, start: int) -> int:
        """From where on `text` may be the beginning of one of them; its length if from nowhere."""
        for at in range(max(start, len(text) - self._longest), len(text)):
            if text[at:] in self._beginnings:
                return at
        return len(text)

    def cut_at_end(self, text: str, start: int) -> int:
        """From where on `text` is the beginning of one that can be nothing else; its length if from nowhere."""
        marks = Marks(self._loose.symmetric_difference(self.texts)) if self._loose else self
        return marks.beginning_at_end(text, start)

    def find(self, text: str, start: int, *, is_over: bool) -> re.Match[str] | None:
        """The first of them, the longest where several stand; None also while a longer one may come. `is_over`: nothing follows."""
        found = self.pattern.search(text, start)
        if found is None or is_over or len(text) - found.start() > self._longest:
            return found
        return None if text[found.start() :] in self._beginnings else found


class Source:
    """The text. `is_over`: nothing follows. `is_cut`: it ended because a limit was reached. `is_starved`: a reader wanted more.
    `passed`: the last character of text before a mark that was looked for. `given_back_characters`: so many were read in vain so far."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._kept = 0
        self._may_trim = True
        self.passed = ""
        self.is_over = False
        self.is_cut = False
        self.is_starved = False
        self.given_back_characters = 0

    def feed(self, text: str) -> None:
        """More of it."""
        if self._may_trim and self._at > _TRIMMED_CHARACTERS:
            self._text, self._at = self._text[self._at :], 0
        self._text += text

    def end(self, *, is_cut: bool) -> None:
        """There is no more."""
        self.is_over, self.is_cut = True, is_cut

    @property
    def rest(self) -> str:
        """What has come and is not read yet."""
        return self._text[self._at :]

    def keep(self) -> None:
        """Remembers this place, to `go_back` to."""
        self._kept, self._may_trim = self._at, False
        if self._at > _TRIMMED_CHARACTERS:
            self._text, self._at, self._kept = self._text[self._at :], 0, 0

    def release(self) -> None:
        """Forgets the place: there is no way back any more."""
        self._may_trim = True

    def go_back(self) -> None:
        """To the place remembered last."""
        self.given_back_characters += self._at - self._kept
        self._at = self._kept

    def take(self, length: int) -> str:
        """The next characters, which have come already."""
        self._at += length
        return self._text[self._at - length : self._at]

    def put_back(self, length: int) -> None:
        """What was read last is to be read again; only behind a remembered place."""
        self._at -= length

    def white_space(self) -> Reading[str]:
        """All white space that follows, up to something else or the end."""
        taken: list[str] = []
        while True:
            rest = self.rest
            taken.append(self.take(len(rest) - len(rest.lstrip(WHITE_SPACE))))
            if self.rest or self._starves():
                return "".join(taken)
            yield

    def peek(self) -> Reading[str]:
        """The next character, left unread; nothing at the end."""
        while self._at == len(self._text) and not self._starves():
            yield
        return self._text[self._at : self._at + 1]

    def accept(self, *texts: str) -> Reading[str | None]:
        """Reads the longest of the texts that follows here; None, and nothing is read, if none does. The beginning of one of them that a
        limit cut off is no text: it is gone."""
        texts = tuple(sorted(texts, key=len, reverse=True))
        while True:
            rest = self._text[self._at : self._at + len(texts[0])]
            found = next((text for text in texts if rest.startswith(text)), None)
            waits = any(len(rest) < len(text) and text.startswith(rest) for text in texts)  # a longer one may follow
            if not waits or self._starves():
                self._at += len(found or "")
                if waits and self.is_cut:
                    self._text = self._text[: self._at]
                return found
            yield

    def expect(self, *texts: str) -> Reading[str]:
        """As `accept`; raises Unreadable if none of them follows."""
        found = yield from self.accept(*texts)
        if found is None:
            raise Unreadable(f"expected {' or '.join(texts)}")
        return found

    def accept_or_end(self, *texts: str) -> Reading[str | None]:
        """As `accept`; the beginning of one of them that the text's end cut off is read, too."""
        found = yield from self.accept(*texts)
        if found is None and self.is_over and any(text.startswith(self.rest) for text in texts):
            self.take(len(self.rest))
        return found

    def expect_or_end(self, text: str) -> Reading[None]:
        """As `expect`, but the text's end may cut off what is expected."""
        if (yield from self.accept(text)) is None:
            if not (self.is_over and text.startswith(self.rest)):
                raise Unreadable(f"expected {text}")
            self.take(len(self.rest))

    def until(self, marks: Marks, emit: Emit, *, trims: bool = False) -> Reading[str | None]:
        """Emits all text before the first of `marks`, which itself is left unread and returned; None at the end of the text.
        `trims`: white space in front of the mark is left unread, too. Of a text cut by a limit the beginning of a mark is dropped, be it a
        single character that may have been text: what a cut text says, the whole one says, too."""
        while True:
            found = marks.find(self._text, self._at, is_over=self.is_over and not self.is_cut)
            end = found.start() if found else marks.beginning_at_end(self._text, self._at)
            if found is None and self._starves():
                self._emit_last(marks.cut_at_end(self._text, self._at), emit)
                return None
            if trims:
                end = self._at + len(self._text[self._at : end].rstrip(WHITE_SPACE))
            if end > self._at:
                self.passed = self._text[end - 1]
                emit(self.take(end - self._at))
            if found:
                return found.group()
            yield

    def _starves(self) -> bool:
        """Whether no more text comes for a reader that wants some."""
        self.is_starved |= self.is_over
        return self.is_over

    def _emit_last(self, end_without_mark: int, emit: Emit) -> None:
        text = self._text[self._at : end_without_mark] if self.is_cut else self.rest
        self._at = len(self._text)
        if text:
            emit(text)

    def text_until(self, *marks: str) -> Reading[str]:
        """The text before the first of `marks`, which is read, too. Raises Unreadable if none follows."""
        taken: list[str] = []
        found = yield from self.until(Marks(marks), taken.append)
        if found is None:
            raise Unreadable(f"expected {' or '.join(marks)}")
        self.take(len(found))
        return "".join(taken)

    def json(self, emit: Emit) -> Reading[None]:
        """Emits one JSON value, from its first character on, in the spelling it has. Raises Unreadable where it is none."""
        scanner = JsonScanner()
        while True:
            try:
                length = scanner.feed(self.rest)
                if length is None and self._starves():
                    emit(self.take(len(self.rest)))
                    scanner.finish()
                    return
            except NotJson as error:
                self.take(scanner.read_characters)
                raise Unreadable(str(error)) from error
            if taken := self.take(len(self.rest) if length is None else length):
                emit(taken)
            if length is not None:
                return
            yield
