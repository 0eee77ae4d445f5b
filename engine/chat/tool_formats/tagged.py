"""The forms that write a call as tags, as a whole: blocks of such calls, and the grammar that holds one to the tool's schema.

Owns what surrounds calls. Must not know any family's tags, nor what stands in a call.
"""

from dataclasses import dataclass

from engine.chat.grammars.lark import Lark
from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Reading
from engine.chat.tool_formats.form import CallableTool
from engine.chat.tool_formats.tagged_rules import tool_rule
from engine.chat.tool_formats.tags import Tags


@dataclass(frozen=True)
class TaggedFormat:
    """Calls as `tags` write them, in blocks between two texts or (both empty) without. `is_shared`: the calls of an answer stand in one
    block. `takes_bare`: a model may leave out the block's opening. `between`: what the family writes between two calls or blocks."""

    tags: Tags
    block_opening: str = ""
    block_closing: str = ""
    is_shared: bool = False
    takes_bare: bool = False
    between: str = "\n"
    tokens: tuple[str, ...] = ()
    """Parts of tags that a vocabulary may have as tokens."""

    @property
    def openings(self) -> tuple[str, ...]:
        """The block's, or the call's own."""
        bare = (self.tags.call,) if self.takes_bare or not self.block_opening else ()
        return (*filter(None, (self.block_opening,)), *bare)

    @property
    def openings_at_start(self) -> tuple[str, ...]:
        """None: the openings are marks wherever they stand."""
        return ()

    @property
    def loose_openings(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def marks(self) -> tuple[str, ...]:
        """The tags that may be tokens."""
        values = (text for tag in self.tags.values for text in (tag.opening, tag.closing))
        tags = (self.tags.call, self.tags.key, self.tags.key_end, *values, self.tags.call_end, self.block_closing)
        return (*dict.fromkeys(tag for tag in tags if tag.startswith("<") and tag.endswith(">")), *self.tokens)

    def read(self, opening: str, answer: Answer) -> Reading[None]:
        """Calls with white space around them, then the block's end, which may be missing."""
        source, tags = answer.source, self.tags
        if opening == self.block_opening:
            yield from source.white_space()
            yield from source.expect(tags.call)
        ended = yield from tags.read(answer)
        while self.block_closing and ended != self.block_closing:
            yield from source.white_space()
            ended = (yield from source.accept_or_end(tags.call, self.block_closing)) or ""
            if not ended:
                return
            if ended == tags.call:
                ended = yield from tags.read(answer)

    def rules(self, opening: str, tools: tuple[CallableTool, ...], lark: Lark, *, in_parallel: bool) -> str:
        """A name, then the arguments by their schemas."""
        gap = self.tags.gap(lark)
        call = lark.rule("call", " | ".join(tool_rule(self.tags, *numbered, lark) for numbered in enumerate(tools)))
        begun = call if opening == self.tags.call else f"{gap} {lark.text(self.tags.call)} {call}"
        end = f"{gap} {lark.text(self.block_closing)}" if self.block_closing else ""
        if self.is_shared:
            further = f"({gap} {lark.text(self.tags.call)} {call})*"
            return f"{begun} {further if in_parallel else ''} {end}"
        block = f"{lark.text(self.block_opening)} {gap}" if self.block_opening else ""
        between = self.tags.separated(self.between, lark)
        further = f"({between} {block} {lark.text(self.tags.call)} {call} {end})*"
        return f"{begun} {end} {further if in_parallel else ''}"
