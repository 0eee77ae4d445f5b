"""Templates in the styles that Ollama's models ship make the prompts that those models read; hostile ones end soon."""

import threading
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chat.prompts.go_template import GoTemplate, is_go_template
from engine.chat.prompts.template import OutOfTemplateBounds, TemplateError, TemplateRefusal

LLAMA = """\
{{ if .System }}<|start_header_id|>system<|end_header_id|>

{{ .System }}<|eot_id|>{{ end }}{{ if .Prompt }}<|start_header_id|>user<|end_header_id|>

{{ .Prompt }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

{{ .Response }}<|eot_id|>"""
CHATML = """\
{{- range $i, $message := .Messages }}
{{- $is_last := eq (len (slice $.Messages $i)) 1 -}}
<|im_start|>{{ .Role }}
{{ .Content }}
{{- range $n, $call := .ToolCalls }}
<tool_call>{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}</tool_call>
{{- end }}<|im_end|>
{{ if and $is_last (ne $message.Role "assistant") }}<|im_start|>assistant
{{ end }}
{{- end }}"""
MISTRAL = """\
{{- range $index, $_ := .Messages }}
{{- if eq .Role "user" }}
{{- if and (eq (len (slice $.Messages $index)) 1) $.Tools }}[AVAILABLE_TOOLS] {{ json $.Tools }}[/AVAILABLE_TOOLS]{{ end }}[INST] \
{{ if and $.System (eq (len (slice $.Messages $index)) 1) }}{{ $.System }}

{{ end }}{{ .Content }}[/INST]
{{- else if eq .Role "assistant" }}
{{- with .Content }} {{ . }}</s>{{ end }}
{{- range .ToolCalls }}[TOOL_CALLS] [{"name": "{{ .Function.Name }}", "arguments": {{ json .Function.Arguments }}}]</s>{{ end }}
{{- else if eq .Role "tool" }}[TOOL_RESULTS] {"content": {{ json .Content }}}[/TOOL_RESULTS]
{{- end }}
{{- end }}"""
PHI = """\
{{ if .System }}<|system|>
{{ .System }}<|end|>
{{ end }}{{ if .Prompt }}<|user|>
{{ .Prompt }}<|end|>
{{ end }}<|assistant|>
{{ .Response }}<|end|>
"""
GEMMA = """\
{{- $system := .System }}
{{- range $i, $_ := .Messages }}
{{- if eq .Role "user" }}<start_of_turn>user
{{ if $system }}{{ $system }}

{{ $system = "" }}{{ end }}{{ .Content }}<end_of_turn>
{{ else if eq .Role "assistant" }}<start_of_turn>model
{{ .Content }}<end_of_turn>
{{ end }}
{{- end }}<start_of_turn>model
"""
ALPACA = """\
{{- if .System }}{{ .System }}

{{ end }}{{- with .Prompt }}### Instruction:
{{ . }}

{{ end }}### Response:
"""
INFILL = "<PRE> {{ .Prompt }} <SUF>{{ .Suffix }} <MID>{{ if not .Suffix }}{{ .Prompt }}{{ .Response }}{{ end }}"
TYPED = """\
{{- range .Tools }}{{ .Function.Name }}({{ range $name, $property := .Function.Parameters.Properties }}{{ $name }}: {{ $property.Type }}
{{- range .Enum }} {{ . }}{{ end }};{{ end }}) needs {{ range .Function.Parameters.Required }}{{ . }} {{ end }}{{ .Function.Description }}
{{- end }}{{ .Prompt }}{{ .Response }}"""

SYSTEM, HI, HELLO, BYE = (
    {"role": role, "content": text}
    for role, text in [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Bye")]
)
TALK = [SYSTEM, HI, HELLO, BYE]
TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Adds.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "how": {"type": ["string", "null"], "enum": ["fast", "<slow>"]}},
            "required": ["a"],
        },
    },
}
CALL = {"id": "1", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
CALLING = [HI, {"role": "assistant", "content": "", "tool_calls": [CALL]}, {"role": "tool", "content": 'say "2"'}]


PROMPTS = {
    LLAMA: "<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n",
    CHATML: "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
    "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n",
    MISTRAL: "[INST] Hi[/INST] Hello</s>[INST] Be brief.\n\nBye[/INST]",
    PHI: "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n",
    GEMMA: "<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello<end_of_turn>\n"
    "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
    ALPACA: "Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello### Instruction:\nBye\n\n### Response:\n",
}


@pytest.mark.parametrize("template", PROMPTS, ids=["llama", "chatml", "mistral", "phi", "gemma", "alpaca"])
def test_a_conversation_is_written_as_ollama_writes_it(template: str) -> None:
    assert is_go_template(template)
    assert GoTemplate(template).render(TALK) == PROMPTS[template]


def test_a_template_of_turns_ends_where_the_answer_begins_and_goes_on_with_one_that_has_begun() -> None:
    assert GoTemplate(PHI).render([HI, HELLO]) == "<|user|>\nHi<|end|>\n<|assistant|>\nHello"
    assert GoTemplate("{{ .Prompt }}|{{ if .Response }}{{ .Response }}<end>{{ end }}").render([HI]) == "Hi|"
    assert GoTemplate("{{ .Prompt }}|{{ if .Response }}{{ .Response }}<end>{{ end }}").render([HI, HELLO]) == "Hi|Hello"
    assert GoTemplate("{{ .Prompt }}{{ if .System }}{{ .Response }}{{ else }}a{{ end }}b").render([HI, HELLO]) == "Hi"
    assert (
        GoTemplate("{{ .Prompt }}{{ if .System }}a{{ else }}{{ .Response }}b{{ end }}c").render([HI, HELLO])
        == "HiHello"
    )
    assert GoTemplate("{{ .Prompt }}|").render([HI, HELLO, BYE]) == "Hi|HelloBye|"
    assert GoTemplate(CHATML).render([HI, HELLO]).endswith("Hello<|im_end|>\n")


def test_neighbours_of_one_role_are_one_message_but_for_tools() -> None:
    twice = [SYSTEM, SYSTEM, HI, BYE, {"role": "tool", "content": "1"}, {"role": "tool", "content": "2"}]
    shown = GoTemplate("{{ .System }}|{{ range .Messages }}{{ .Role }}:{{ .Content }};{{ end }}").render(twice)
    assert shown == "Be brief.\n\nBe brief.|system:Be brief.\n\nBe brief.;user:Hi\n\nBye;tool:1;tool:2;"


def test_who_develops_is_who_set_the_system_up() -> None:
    assert (
        GoTemplate(PHI)
        .render([{"role": "developer", "content": "Be brief."}, HI])
        .startswith("<|system|>\nBe brief.<|end|>")
    )


def test_a_tools_answer_is_a_turn_of_a_template_that_knows_only_prompts() -> None:
    assert '<|user|>\nsay "2"<|end|>' in GoTemplate(PHI).render(CALLING)


def test_tools_and_calls_are_shown_as_json() -> None:
    prompt = GoTemplate(MISTRAL).render([HI], [TOOL])
    assert prompt.startswith('[AVAILABLE_TOOLS] [{"type":"function","function":{"name":"add","description":"Adds."')
    assert '"enum":["fast","\\u003cslow\\u003e"]' in prompt
    assert GoTemplate(MISTRAL).render(CALLING) == (
        '[INST] Hi[/INST][TOOL_CALLS] [{"name": "add", "arguments": {"a":1}}]</s>[TOOL_RESULTS] {"content": "say \\"2\\""}[/TOOL_RESULTS]'
    )
    assert '<tool_call>{"name": "add", "arguments": {"a":1}}</tool_call>' in GoTemplate(CHATML).render(CALLING)
    broken = {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a": '}}
    assert '"arguments": {"a": }' in GoTemplate(CHATML).render([HI, {"role": "assistant", "tool_calls": [broken]}])


def test_tools_are_written_in_ollamas_order_and_whole() -> None:
    parameters = {
        "properties": {"b": {"description": "B", "default": 1, "type": "integer"}, "a": True},
        "additionalProperties": False,
        "required": ["b"],
        "type": "object",
    }
    tool = {"function": {"strict": True, "parameters": parameters, "name": "f"}, "type": "function"}
    assert GoTemplate("{{ .Tools }}{{ .Prompt }}").render([HI], [tool]) == (
        '[{"type":"function","function":{"name":"f","parameters":{"type":"object","required":["b"],"properties":'
        '{"a":true,"b":{"type":"integer","description":"B","default":1}},"additionalProperties":false},"strict":true}}]Hi'
    )


def test_a_tools_parts_can_be_looked_at_one_by_one() -> None:
    assert GoTemplate(TYPED).render([HI], [TOOL]) == "add(a: integer;how: [string null] fast <slow>;) needs a Adds.Hi"
    assert GoTemplate(TYPED).render([HI], [{"type": "function", "function": {"name": "f"}}]) == "f() needs Hi"


def test_a_gap_is_filled_by_prompt_and_suffix() -> None:
    assert GoTemplate(INFILL).render([HI], variables={"suffix": "end"}) == "<PRE> Hi <SUF>end <MID>"
    assert GoTemplate(INFILL).render([HI]) == "<PRE> Hi <SUF> <MID>Hi"


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({}, "unset"),
        ({"enable_thinking": False}, "no"),
        ({"enable_thinking": True, "reasoning_effort": "low"}, "yes low"),
    ],
)
def test_a_template_sees_whether_and_how_hard_to_think(variables: dict[str, object], shown: str) -> None:
    source = (
        "{{ if not .IsThinkSet }}unset{{ else if .Think }}yes {{ .ThinkLevel }}{{ else }}no{{ end }}{{ .Response }}"
    )
    template = GoTemplate(source)
    assert template.render([HI], variables=variables) == shown
    assert (template.supports_thinking, template.supports_tools, GoTemplate(MISTRAL).supports_tools) == (
        True,
        False,
        True,
    )


def test_marks_of_thinking_tell_that_a_model_thinks() -> None:
    assert GoTemplate("{{ .Prompt }}<think>{{ .Response }}").supports_thinking
    assert not GoTemplate("{{ range .Messages }}{{ .Thinking }}{{ end }}").supports_thinking


def test_what_ollama_does_not_give_is_refused_by_name_and_place() -> None:
    with pytest.raises(
        TemplateError, match=r"line 2, column 4: in \.Model: request has no field \.Model; it has \.System, \.Prompt"
    ):
        GoTemplate("Hello\n{{ .Model }}").render([HI])
    with pytest.raises(
        TemplateError, match=r"line 1, column 22: in \.Function: Message has no field \.Function; it has \.Role"
    ):
        GoTemplate("{{range .Messages}}{{.Function}}{{end}}").render([HI])


def test_messages_that_are_not_all_text_are_refused() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert GoTemplate("{{ .Prompt }}{{ .Response }}").render([{"role": "user", "content": parts}]) == "a\nb"
    with pytest.raises(TemplateRefusal, match="text only"):
        GoTemplate("{{ .Prompt }}").render([{"role": "user", "content": [{"type": "image"}]}])


DOUBLE = "{{ $x := `aaaaaaaaaaaaaaaa` }}" + "{{ $x = print $x $x }}" * 40
HOSTILE = {
    "an endless range": "{{ range 1000000000000 }}{{ end }}",
    "ranges within ranges": "{{ range 100000 }}" * 5 + "{{ end }}" * 5,
    "much text": "{{ range 1000000 }}" + "a" * 1000 + "{{ end }}",
    "doubled text": DOUBLE,
    "much text made and thrown away": "{{ $x := printf `%99s` `` }}{{ range 10000000 }}{{ $y := print $x $x $x $x }}{{ end }}",
    "lengths of a long text": "{{ range 10000000 }}{{ $y := len $.Prompt }}{{ end }}",
    "comparisons of long texts": "{{ range 10000000 }}{{ $y := eq $.Prompt $.Prompt }}{{ end }}",
    "parts of a long text": "{{ range 10000000 }}{{ $y := slice $.Prompt 1 }}{{ end }}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_ends_soon(name: str) -> None:
    begun = time.thread_time()
    with pytest.raises(OutOfTemplateBounds):
        GoTemplate(HOSTILE[name], limit_seconds=0.2).render([{"role": "user", "content": "long " * 100_000}])
    assert time.thread_time() - begun < 2


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("{{ if 1 }}" * 65 + "{{ end }}" * 65, "nested more than 64 deep"),
        ("{{ " + "(" * 65 + "1" + ")" * 65 + " }}", "nested more than 64 deep"),
        ("{{ if 0 }}" + "{{ else if 0 }}" * 65 + "{{ end }}", "nested more than 64 deep"),
        ("".join(f"{{{{ $x{number} := 1 }}}}" for number in range(300)), "more than 256 variables"),
        ("a" * (1 << 18) + "{{ . }}", "longer than 262,144 characters"),
        ("{{ " + "1" * 100 + " }}", "more than 40 digits"),
        ("{{ " + "x" * 10_000 + " }}", "is not supported"),
    ],
    ids=["blocks", "parentheses", "else if", "variables", "length", "digits", "name"],
)
def test_a_template_beyond_bounds_is_refused_as_it_is_read(source: str, complaint: str) -> None:
    with pytest.raises(TemplateError) as error:
        GoTemplate(source)
    message = str(error.value)
    assert complaint in message or len(message) < 600


def test_a_deep_value_is_refused_and_no_crash() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"default": deep}}}
    with pytest.raises(TemplateError, match="nested too deep"):
        GoTemplate("{{ .Tools }}").render([HI], [tool])


@given(st.text(alphabet="{}-.$|()`\"' \nabifrangeend:=,1/*\\", max_size=60))
def test_any_text_is_rendered_or_refused(source: str) -> None:
    with suppress(TemplateError, TemplateRefusal):
        GoTemplate("{{" + source, limit_seconds=0.1).render(TALK)


def test_threads_may_share_a_template() -> None:
    template, prompts = GoTemplate(CHATML), list[str]()
    threads = [threading.Thread(target=lambda: prompts.append(template.render(TALK))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert prompts == [template.render(TALK)] * 4


@pytest.mark.parametrize(
    ("source", "is_go"),
    [
        ("{{ .Prompt }}", True),
        ("{{-.System}}", True),
        ("{{ $x := 1 }}", True),
        ("{{/* a comment */}}text", True),
        ("{{- /* a comment */ -}}text", True),
        ("{{ if (eq 1 2) }}a{{ end }}", True),
        ("{{ json .Tools }}", True),
        ("{{ template `x` }}", True),
        ("{{ html .Prompt }}", True),
        ("{{ not messages }}", False),
        ("{% for message in messages %}{{ message.content }}{% endfor %}", False),
        ("{{ messages[0].content }}", False),
        ("{{- messages[0]['content'] -}}", False),
        ("{# .Prompt #}{{ range }}{{ end }}", False),
        ("{% set end = 1 %}{{ end }}", False),
        ("{{ bos_token }}", False),
        ("plain text", False),
        ("", False),
    ],
)
def test_the_syntax_tells_whose_template_it_is(source: str, is_go: bool) -> None:
    assert is_go_template(source) is is_go
