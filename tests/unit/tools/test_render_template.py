"""The tool prints the prompt that the server makes, or one line that says why there is none."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.render_template import main

TEMPLATE = """{{ bos_token }}{% for m in messages %}
{%- if m.role == 'system' %}{{ raise_exception('no system here') }}{% endif -%}
[{{ m.role }}]{{ m.content }}{% for c in m.tool_calls %}{{ c.function.arguments | tojson }}{% endfor %}{{ eos_token }}
{% endfor %}{{ tools | tojson if tools }}{{ style }}{{ strftime_now('%d %b %Y %H:%M') }}
{%- if add_generation_prompt %}[assistant]{% endif %}"""
NOT_CONTINUED = '{"continue_final_message": false}'
USER = {"role": "user", "content": "Hi"}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run_tool(messages: Any, *options: str, template: str = TEMPLATE) -> tuple[int, str, str]:
        (tmp_path / "t.jinja").write_text(template, encoding="utf-8")
        text = messages if isinstance(messages, str) else json.dumps(messages)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        status = main(["--template", str(tmp_path / "t.jinja"), "--now", "2024-07-26T12:30", *options])
        return status, *capsys.readouterr()

    return run_tool


def test_it_renders_with_tools_variables_special_tokens_and_time(run: Any, tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text('[{"type": "function", "function": {"name": "f"}}]')
    options = ("--tools", str(tmp_path / "tools.json"), "--kwargs", '{"style": "!"}', "--bos", "<s>", "--eos", "</s>")
    prompt = '<s>[user]Hi</s>\n[{"type": "function", "function": {"name": "f"}}]!26 Jul 2024 12:30[assistant]'
    assert run([USER], *options) == (0, prompt, "")


def test_it_folds_and_continues_as_the_server_does(run: Any) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "content": "2", "tool_call_id": "1"},
        {"role": "assistant", "content": "It is"},
    ]
    status, prompt, _ = run(messages)
    assert (status, prompt) == (0, '[user]Be brief.\n\nHi\n[assistant]{"a": 1}\n[tool]2\n[assistant]It is')


def test_the_opening_of_an_answer_can_be_left_out(run: Any) -> None:
    assert run([USER], "--kwargs", '{"add_generation_prompt": false}')[1].endswith("12:30")


def test_tools_that_a_template_of_gos_has_no_place_for_are_refused(run: Any, tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text('[{"type": "function", "function": {"name": "f"}}]')
    refused = run([USER], "--tools", str(tmp_path / "tools.json"), template="{{ .Prompt }}")
    assert refused == (1, "", "the template refuses these messages: it has no place for tools\n")


def test_a_refusal_or_a_broken_template_is_one_line_and_status_1(run: Any) -> None:
    refusing = "{{ raise_exception('Only users!') if messages[0].role != 'user' }}{{ messages[0].content }}"
    assert run([{"role": "assistant", "content": "Hi"}], "--kwargs", NOT_CONTINUED, template=refusing) == (
        1,
        "",
        "the template refuses these messages: Only users!\n",
    )
    assert run([USER], template="{{ 1 + }}")[::2] == (
        1,
        "the template is broken: line 1: unexpected 'end of print statement'\n",
    )


@pytest.mark.parametrize(
    ("messages", "options", "complaint"),
    [
        ("[", (), "standard input: no JSON"),
        ([], (), "standard input: expected a JSON list of messages"),
        (["Hi"], (), "messages[0]: expected an object whose role is one of developer, system"),
        ([{"role": "king"}], (), "messages[0]: expected an object whose role"),
        ([{"role": "user", "content": 1}], (), "messages[0].content: expected text or a list"),
        ([{"role": "user", "content": [{"type": "text"}]}], (), "messages[0].content: expected parts of type text"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], (), "messages[0].content: expected parts of type text"),
        ([{"role": "user", "name": 1}], (), "messages[0].name: expected text"),
        ([{"role": "assistant", "tool_calls": {}}], (), "messages[0].tool_calls: expected a list"),
        ([{"role": "assistant", "tool_calls": [{}]}], (), "messages[0]: expected calls with a function"),
        ([{"role": "assistant", "function_call": {"name": "f", "arguments": 1}}], (), "the arguments of f as text or"),
        ([USER], ("--kwargs", "[]"), "--kwargs: expected a JSON object"),
        ([USER], ("--kwargs", "{"), "--kwargs: no JSON"),
        ([USER], ("--kwargs", '{"continue_final_message": true}'), "the last message is not an assistant's text"),
        ([USER], ("--kwargs", '{"messages": []}'), "chat_template_kwargs.messages: this variable is set"),
        ([USER], ("--now", "soon"), "--now: Invalid isoformat"),
        ([USER], ("--tools", "missing.json"), "missing.json: No such file"),
    ],
)  # fmt: skip
def test_input_that_cannot_be_used_is_one_line_and_status_2(
    run: Any, messages: Any, options: Any, complaint: str
) -> None:
    status, prompt, line = run(messages, *options)
    assert (status, prompt, line.count("\n")) == (2, "", 1)
    assert complaint in line


def test_a_template_may_be_gos(run: Any) -> None:
    template = "{{ .System }}|{{ .Prompt }}|{{ currentDate }}{{ .Response }}<end>"
    assert run([{"role": "system", "content": "Be kind."}, USER], template=template) == (
        0,
        "Be kind.|Hi|2024-07-26",
        "",
    )
    assert run([USER], template="{{ .Prompt }}{{ end }}")[::2] == (
        1,
        "the template is broken: line 1, column 17: {{end}} ends nothing here\n",
    )
