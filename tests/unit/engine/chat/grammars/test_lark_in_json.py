"""A grammar that is rewritten for the inside of a JSON string accepts the same texts as before, as JSON spells them."""

import json

import pytest
from llguidance import LLMatcher, LLTokenizer

from engine.chat.grammars.lark_in_json import quoted
from engine.chat.grammars.regex_in_json import Regex, Unquotable

TOKENIZER = LLTokenizer("byte")
ARITHMETIC = r"""
// sums and products, in brackets
start: expr
?expr: term (SP ADD SP term)* -> sum
    | term
term: factor (SP "*" SP factor)*
factor: INT | "(" expr ")"
SP: " "
ADD: "+"
%import common.INT
"""
PATCH = r"""
start: "*** Begin Patch" LF hunk+ "*** End Patch" LF?
hunk: "*** Add File: " filename LF add_line+
filename: /(.+)/
add_line: "+" /(.*)/ LF -> line
%import common.LF
"""
STRINGS = r"""
start: (ESCAPED_STRING | "}" | "{")+
%import common (ESCAPED_STRING, WS)
%ignore WS
"""
LINES = r"""
start: LINE (BREAK LINE)*
LINE: "> " /[^\n]/+
%import common.NEWLINE -> BREAK
"""
SPACED = r"""
start: NAME+
NAME: /[a-z]+/
%ignore /[ \t\n]+/
"""
MIXED = r"""start: "a\nb"i /[^x]"?/i "a".."f" /\x22\u0022?\s[\s\n]/ /a{2,3}\/(é|中)?/ "\x41" """
DELETED = r'start: "a\x7f"'
TEXTS = [
    (ARITHMETIC, "1 + 2"),
    (ARITHMETIC, "(1 + 22) * 3"),
    (ARITHMETIC, "1+2"),
    (ARITHMETIC, "(1 + 2"),
    (PATCH, '*** Begin Patch\n*** Add File: "a" \\ b.py\n+print("hé\\n")\n+\tx\n+\n*** End Patch\n'),
    (PATCH, "*** Begin Patch\n*** Add File: a.py\n-x\n*** End Patch"),
    (PATCH, "*** Begin Patch\n*** Add File: \n+x\n*** End Patch"),
    (STRINGS, '"a\\"b" }\n\t"x"\n"\\\\"'),
    (STRINGS, '"a'),
    (STRINGS, "x"),
    (LINES, '> a\n> "b"\r\n\n> \\'),
    (LINES, "> a\n"),
    (SPACED, "ab\n\n\tc d"),
    (SPACED, "ab."),
    (MIXED, 'A\nBq"d" \taa/é' + "A"),
    (MIXED, 'a\nbqc""\t\naaa/A'),
    (MIXED, 'a\nb\\c"\n\naa/中A'),
    (MIXED, 'a\nbxc"\n\naa/A'),
    (DELETED, "a\x7f"),
    (DELETED, "a"),
]


ANYTHING = r"start: /(.|\n)+/"


def in_json(grammar):
    return f'start: "\\"" %lark {{\n{quoted(grammar)}\n}} "\\""'


def accepts(grammar, text):
    matcher = LLMatcher(TOKENIZER, LLMatcher.grammar_from_lark(grammar), log_level=0)
    assert not matcher.is_error(), matcher.get_error()
    return all(map(matcher.consume_token, text.encode())) and matcher.is_accepting()


@pytest.mark.parametrize(("grammar", "text"), TEXTS)
def test_it_accepts_in_json_what_it_accepted(grammar, text):
    assert accepts(in_json(grammar), json.dumps(text, ensure_ascii=False)) == accepts(grammar, text)


def test_the_table_has_texts_that_are_accepted_and_others_for_each_grammar():
    for grammar in {grammar for grammar, _ in TEXTS}:
        assert {accepts(grammar, text) for other, text in TEXTS if other == grammar} == {True, False}


@pytest.mark.parametrize("character", [*map(chr, range(0x20)), '"', "\\", "/", "\x7f", "é", "𝄞"])
def test_any_character_is_held_as_json_spells_it(character):
    assert accepts(in_json(ANYTHING), json.dumps(character * 2, ensure_ascii=False))


@pytest.mark.parametrize(
    ("regex", "is_lexeme"),
    [
        (r'"([^"\\]|\\.)*"', True),
        (r'"[^"]*"', True),
        (r"\/\*([^*]|\*+[^*\/])*\*+\/", True),
        (r"[a-z]+", True),
        (r"a|b\"", True),
        (r".+", False),
        (r"(\r?\n)+", False),
        (r"a\"?", False),
        (r".*x", False),
        (r"(ab){2,}[^c]{0,3}", False),
        (r"(\"{100}){1000}", False),
    ],
)
def test_a_lexeme_is_what_no_escaped_character_can_go_on_with(regex, is_lexeme):
    assert Regex(regex).is_lexeme == is_lexeme


@pytest.mark.parametrize(
    ("grammar", "named"),
    [
        ("start: /a(?=b)/", r"\(\?="),
        ("start: /(?i)a/", r"\(\?i"),
        (r"start: /a\b/", r"\\b"),
        (r"start: /\p{L}/", r"\\p"),
        ("start: /[a&&b]/", "&&"),
        ("start: /[[:alpha:]]/", "alpha"),
        ("start: /a.*?b/", r"\*"),
        ("start: /a/x", "/a/x"),
        ("start: /(/", r"\("),
        ("start: /)/", r"\)"),
        (f"start: /{'(' * 4000}a{')' * 4000}/", "deep"),
        ('start: %json {"type": "string"}', "%json"),
        ("start: <think>", "<think>"),
        ("start: @other", "@other"),
        ("start: ~/a/", "`~`"),
        ('a[lazy]: "x"', "lazy"),
        ("A.2: /x/", "A.2"),
        ('start: "\\q"', "no string"),
        ('start: "ab".."c"', "range"),
        ('root ::= "a"', "begin with a rule"),
        ("", "begin with a rule"),
        (" // nothing\n", "begin with a rule"),
        ("%import python.NAME", "python.NAME"),
        ("%declare A", "%declare"),
        ("start: /.+/\n%ignore / +/", "ignore"),
        ("start: LINE\nLINE: /.+/\n%ignore / +/", "LINE"),
        ("x" * 20_000, "20000 characters"),
    ],
)
def test_what_cannot_be_held_is_named(grammar, named):
    with pytest.raises(Unquotable, match=named):
        quoted(grammar)
