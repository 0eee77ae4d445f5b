"""Patterns mean for llguidance what they mean in JSON Schema."""

import jsonschema_rs
import pytest

from engine.llama.schema_patterns import names_matched, rust_spelling


@pytest.mark.parametrize(
    ("pattern", "spelling"),
    [
        ("^[[:alpha:]]$", r"^[\[:alpha:]]$"),
        ("[a&&b]", r"[a&\&b]"),
        ("[~~]", r"[~\~]"),
        ("[+--]", r"[+-\-]"),
        (r"[\w--a]", r"[\w\-\-a]"),
        ("[a[]", r"[a\[]"),
        ("[^[]", r"[^\[]"),
        ("x[^]", r"x[\s\S]"),
        (r"a{2}[b-d]\[[x]--", r"a{2}[b-d]\[[x]--"),
        (r"[\]]&&", r"[\]]&&"),
    ],
)
def test_what_rust_reads_otherwise_is_spelled_for_it(pattern, spelling):
    assert rust_spelling(pattern) == rust_spelling(spelling) == spelling
    jsonschema_rs.validator_for({"pattern": spelling})


@pytest.mark.parametrize("text", ["a", "[", ":", "[]", "a]", ":]"])
def test_a_pattern_that_is_spelled_otherwise_matches_the_same_texts(text):
    before, after = (
        jsonschema_rs.is_valid({"pattern": pattern}, text)
        for pattern in ("^[[:alpha:]]$", rust_spelling("^[[:alpha:]]$"))
    )
    assert before == after


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("^a$", ("a",)),
        ("^(x-1|two words|x-1)$", ("x-1", "two words")),
        ("^(?:a|b)$", ("a", "b")),
        ("^a", ()),
        ("a", ()),
        ("^a|b$", ()),
        ("^[ab]$", ()),
        ("^a.$", ()),
    ],
)
def test_a_pattern_that_lists_names_is_known(pattern, names):
    assert names_matched(pattern) == names
