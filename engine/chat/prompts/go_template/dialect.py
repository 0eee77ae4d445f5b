"""Tells Go templates from Jinja's, by their syntax. Must not know what either means."""

import re

_GO_ONLY = re.compile(r"\{\{-?\s*(?:[.$]|/\*)")
_GO_WORDS = re.compile(
    r"""\{\{-?\s*(?:\w+\s+[.$"`]|(?:if|with|range|not|and|or|eq|ne|len|json)\s+\(|(?:end|else)\s*-?\}\})"""
)
_JINJA_ONLY = re.compile(r"\{%|\{#")
_LOOKED_AT_CHARACTERS = 1 << 18
"""Templates that are longer are refused anyway."""


def is_go_template(source: str) -> bool:
    """Whether a template is in Go's syntax: an action begins with a dot, a dollar or a comment, or, where no Jinja statement or comment
    is about, with a word and its argument, or is an `end` or `else`. A text without actions means the same in both, and counts as Jinja's.
    """
    source = source[:_LOOKED_AT_CHARACTERS]
    return bool(_GO_ONLY.search(source) or (_GO_WORDS.search(source) and not _JINJA_ONLY.search(source)))
