"""Go's template language does here what it does in Go."""

from datetime import UTC, datetime

import pytest

from engine.chat.prompts.go_template.evaluator import Evaluator
from engine.chat.prompts.go_template.fault import GoTemplateFault
from engine.chat.prompts.go_template.functions import functions
from engine.chat.prompts.go_template.parser import Parser
from engine.chat.prompts.go_template.values import JsonText, Record
from engine.chat.prompts.meter import Meter

PERSON = Record("Person", {"Name": "Ann", "Age": 0}, {"name": "Ann"}, prints=True)
DATA = {
    "Text": "héllo",
    "Empty": "",
    "Number": 3,
    "Nil": None,
    "Yes": True,
    "List": ["a", "b", "c"],
    "None": [],
    "Map": {"x": 1, "b": "two", "a": None},
    "Json": JsonText({"q": "<&>"}, {"q": "<&>"}),
    "Person": PERSON,
    "People": [PERSON, Record("Person", {"Name": "Bo", "Age": 7})],
}


def run(source: str) -> str:
    known = functions(lambda: datetime(2026, 3, 1, tzinfo=UTC))
    return Evaluator(known, Meter(2.0), Record("data", DATA)).run(Parser(source, known).parse())


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("a {{ 1 }} b", "a 1 b"),
        ("a {{- 1 }} b", "a1 b"),
        ("a {{ 1 -}} b", "a 1b"),
        ("a \n\t {{- 1 -}} \r\n b", "a1b"),
        ("{{- 1 }} {{ 2 -}}", "1 2"),
        ("a {{-1}} b", "a -1 b"),
        ("a {{- -1 -}} b", "a-1b"),
        ("a{{/* c */}}b", "ab"),
        ("a {{- /* c }} */ -}} b", "ab"),
        ("a {{/* c */ -}} b", "a b"),
        ("{{ if true -}}  x  {{- end }} y", "x y"),
        ("x\n{{- if false }}\ny\n{{- end }}\nz", "x\nz"),
        ("\xa0{{- 1 -}}\xa0", "\xa01\xa0"),
        ("}} { {a}", "}} { {a}"),
        ("", ""),
    ],
)
def test_white_space_is_trimmed_where_the_delimiters_ask_for_it(source: str, written: str) -> None:
    assert run(source) == written


@pytest.mark.parametrize(
    ("source", "written"),
    [
        (r'{{ "a\n\t\"\\\x41\u00e9\101" }}', 'a\n\t"\\AéA'),
        ('{{ `a\\n"` }}', 'a\\n"'),
        ("{{ 'a' }}", "97"),
        ("{{ 0x10 }} {{ 010 }} {{ -7 }} {{ 1.50 }} {{ 1e3 }} {{ 1e21 }} {{ .5 }}", "16 8 -7 1.5 1000 1e+21 0.5"),
        ("{{ true }} {{ false }}", "true false"),
        ("{{ .Nil }}", "<no value>"),
        ("{{ .Map.missing }}", "<no value>"),
        ("{{ .List }} {{ .None }} {{ .Map }}", "[a b c] [] map[a:<nil> b:two x:1]"),
        ("{{ .Person }} {{ .Json }}", '{"name":"Ann"} {"q":"\\u003c\\u0026\\u003e"}'),
        ("{{ .Person.Name }} {{ $.Person.Age }} {{ (.Person).Name }} {{ (index .People 1).Name }}", "Ann 0 Ann Bo"),
    ],
)
def test_values_are_written_as_go_writes_them(source: str, written: str) -> None:
    assert run(source) == written


@pytest.mark.parametrize(
    ("value", "true"),
    [
        (".Text", True), (".Empty", False), (".Number", True), ("0", False), (".Nil", False), (".Yes", True), (".List", True),
        (".None", False), (".Map", True), (".Json", True), (".Person", True), (".Person.Age", False), ("0.0", False), (".", True),
    ],
)  # fmt: skip
def test_what_is_zero_or_empty_is_false_and_a_struct_is_true(value: str, true: bool) -> None:
    assert run(f"{{{{ if {value} }}}}yes{{{{ else }}}}no{{{{ end }}}}") == ("yes" if true else "no")


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("{{ if .Empty }}1{{ else if .Nil }}2{{ else if .Yes }}3{{ else }}4{{ end }}", "3"),
        ("{{ with .Person }}{{ .Name }}{{ $.Number }}{{ end }}", "Ann3"),
        ("{{ with .Empty }}1{{ else with .Text }}{{ . }}{{ end }}", "héllo"),
        ("{{ with $x := .Number }}{{ $x }}{{ . }}{{ end }}", "33"),
        ("{{ range .List }}{{ . }},{{ end }}", "a,b,c,"),
        ("{{ range $i, $item := .List }}{{ $i }}{{ $item }}{{ end }}", "0a1b2c"),
        ("{{ range $item := .List }}{{ $item }}{{ end }}", "abc"),
        ("{{ range $key, $value := .Map }}{{ $key }}{{ end }}", "abx"),
        ("{{ range .None }}x{{ else }}none{{ end }}{{ range .Nil }}x{{ else }}nil{{ end }}", "nonenil"),
        ("{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}", "01201"),
        ("{{ range .List }}{{ if eq . `b` }}{{ continue }}{{ end }}{{ . }}{{ end }}", "ac"),
        ("{{ range .List }}{{ if eq . `b` }}{{ break }}{{ end }}{{ . }}{{ end }}", "a"),
        ("{{ range .List }}{{ range $.List }}{{ break }}{{ end }}{{ . }}{{ end }}", "abc"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ $x := 3 }}{{ $x }}{{ end }}{{ $x }}", "32"),
        ("{{ $n := 0 }}{{ range .List }}{{ $n = . }}{{ end }}{{ $n }}", "c"),
        ("{{- range $i, $_ := .List }}{{ if eq (len (slice $.List $i)) 1 }}last:{{ . }}{{ end }}{{ end }}", "last:c"),
        ("{{ if $x := .Text }}{{ $x }}{{ else }}{{ $x }}{{ end }}", "héllo"),
        ("{{ range\n $i,\n $x := .List\n}}{{ $x }}{{ end }}", "abc"),
    ],
)
def test_control_flow_and_scopes_are_gos(source: str, written: str) -> None:
    assert run(source) == written


@pytest.mark.parametrize(
    ("source", "written"),
    [
        (
            "{{ eq .Text `héllo` }} {{ eq 1 2 1 }} {{ ne 1 2 }} {{ eq .Nil nil }} {{ eq .Text nil }}",
            "true true true true false",
        ),
        ("{{ lt 1 2 }} {{ le 2 2 }} {{ gt `a` `b` }} {{ ge 1.5 1.5 }}", "true true false true"),
        (
            "{{ and .Text .Empty .Number }}|{{ and .Text .Number }}|{{ or .Empty .Nil .Text }}|{{ or .Empty 0 }}",
            "|3|héllo|0",
        ),
        ("{{ or .Yes (index .List 99) }} {{ and .Empty (index .List 99) }}", "true "),
        ("{{ not .Empty }} {{ not (eq 1 1) }}", "true false"),
        ("{{ len .Text }} {{ len .List }} {{ len .Map }} {{ .Text | len }}", "6 3 3 6"),
        ("{{ index .List 1 }} {{ index .Map `b` }} {{ index .Map `z` }} {{ index .Text 0 }}", "b two <no value> 104"),
        (
            "{{ slice .List 1 }} {{ slice .List 1 2 }} {{ slice .Text 3 }} {{ slice (slice .List 1) 1 }}",
            "[b c] [b] llo [c]",
        ),
        (
            "{{ json .Map }} {{ json .List }} {{ .Text | json }} {{ json .Nil }}",
            '{"a":null,"b":"two","x":1} ["a","b","c"] "héllo" null',
        ),
        ("{{ print 1 2 `a` 3 }}|{{ println `a` 1 }}", "1 2a3|a 1\n"),
        (
            "{{ printf `%s-%5d-%-4s|%q%%%.2f %v %t` .Text 42 `ab` `q` 1.5 .List true }}",
            'héllo-   42-ab  |"q"%1.50 [a b c] true',
        ),
        ("{{ .Number | printf `%d %d` 1 }}", "1 3"),
        ("{{ (print `a` | print `b`) | print `c` }}", "cba"),
        ("{{ currentDate }} {{ yesterdayDate }}", "2026-03-01 2026-02-28"),
        ("{{ currentDate `02 Jan 2006` }}", "2026-03-01"),
        ("{{ if and (eq .Number 3) (not .Empty) | not }}x{{ else }}y{{ end }}", "y"),
    ],
)
def test_functions_and_pipelines_are_gos(source: str, written: str) -> None:
    assert run(source) == written


@pytest.mark.parametrize(
    ("source", "place", "complaint"),
    [
        ("a\n{{ define `x` }}{{ end }}", 5, "{{define}} is not supported"),
        ("{{ template `x` . }}", 3, "{{template}} is not supported"),
        ("{{ block `x` . }}{{ end }}", 3, "{{block}} is not supported"),
        ("{{ html .Text }}", 3, "the function html is not supported; there are and, "),
        ("{{ .Text.Upper }}", 3, "in .Text.Upper: a string has no fields, so no .Upper"),
        ("{{ .Person.Height }}", 3, "in .Person.Height: Person has no field .Height; it has .Name, .Age"),
        ("{{ .Nil.x }}", 3, "a nil has no fields"),
        ("{{ .Text 1 }}", 3, ".Text is no function, so it is given no arguments"),
        ("{{ 1 | .Text }}", 7, ".Text is no function"),
        ("{{ $x }}", 3, "the variable $x is not declared"),
        ("{{ if true }}{{ $x := 1 }}{{ end }}{{ $x }}", 38, "the variable $x is not declared"),
        ("{{ if .Empty }}{{ $x := 1 }}{{ else }}{{ $x }}{{ end }}", 41, "the variable $x is not declared here"),
        ("{{ if .Text }}", 3, "{{if}} has no {{end}}"),
        ("{{ if 1 }}{{ else }}{{ else }}{{ end }}", 23, "a second {{else}}"),
        ("{{ end }}", 3, "{{end}} ends nothing here"),
        ("{{ break }}", 3, "{{break}} stands outside of a range"),
        ("{{ range .List }}{{ else }}{{ continue }}{{ end }}", 30, "{{continue}} stands outside of a range"),
        ("{{ range .Text }}{{ end }}", 3, "a range over a string"),
        ("{{ }}", 3, "a value is missing"),
        ("{{ 1 | }}", 7, "a value is missing"),
        ("{{ (1 }}", 6, "a parenthesis has no end"),
        ("{{ 1) }}", 4, "a parenthesis ends that was not begun"),
        ("{{ nil }}", 7, "nil alone is no value"),
        ("{{ .Text", 0, "an action has no end"),
        ("{{ \"a }}", 3, "a text in quotes has no end"),
        ("{{ `a }}", 3, "a text in quotes has no end"),
        ("{{ .a & 1 }}", 6, "'&' has no meaning in an action"),
        ("{{/* a }}", 0, "a comment has no end"),
        ("{{ \"\\q\" }}", 4, "\\q is no escape that Go knows"),
        ("{{ 'ab' }}", 3, "'ab' is not one character"),
        ("{{ \"a\"1 }}", 6, "'1' is not expected here"),
        ("{{ eq 1 `a` }}", 3, "a int is compared with a string"),
        ("{{ eq .List .List }}", 3, "a list cannot be compared"),
        ("{{ lt true false }}", 3, "a bool is ordered with a bool"),
        ("{{ eq 1 }}", 3, "eq needs something to compare with"),
        ("{{ not }}", 3, "not cannot take 0 arguments"),
        ("{{ ne 1 2 3 }}", 3, "ne cannot take 3 arguments"),
        ("{{ and }}", 3, "and needs an argument"),
        ("{{ len 3 }}", 3, "len of a int, which has none"),
        ("{{ index .List 3 }}", 3, "the position 3 is out of range; expected 0 to 2"),
        ("{{ index .List `a` }}", 3, "a position is a string; expected an int"),
        ("{{ index .Map 1 }}", 3, "a map cannot be indexed by a int"),
        ("{{ slice .List 2 1 }}", 3, "a slice from 2 to 1"),
        ("{{ slice .List 0 1 2 }}", 3, "slice with a capacity is not supported"),
        ("{{ printf `%d` `a` }}", 3, "printf's '%d' is given a string"),
        ("{{ printf `%z` 1 }}", 3, "printf's '%z' is not supported"),
        ("{{ printf `%s` }}", 3, "printf has no argument for '%s'"),
        ("{{ printf `a` 1 }}", 3, "printf has 1 arguments more than verbs"),
        ("{{ . }}", 3, "a data cannot be written as it is"),
        ("{{ json . }}", 3, "a data has no JSON"),
        ("{{ $a, $b, $c := 1 }}", 14, "too many variables are declared"),
        ("{{ $i := 0 }}{{ range $i = .List }}{{ end }}", 16, "a range can declare variables by := only"),
        ("{{ $x = 1 }}", 6, "the variable $x is not declared"),
    ],
)  # fmt: skip
def test_what_is_not_gos_or_not_served_is_refused_by_name_and_place(source: str, place: int, complaint: str) -> None:
    with pytest.raises(GoTemplateFault) as fault:
        run(source)
    assert (complaint in fault.value.message, fault.value.offset) == (True, place), fault.value.message


def test_a_place_is_told_by_line_and_column() -> None:
    with pytest.raises(GoTemplateFault) as fault:
        run("one\ntwo {{ nothing }}")
    assert fault.value.located("one\ntwo {{ nothing }}").startswith("line 2, column 8: the function nothing")
