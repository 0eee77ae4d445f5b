"""The tool shows the message that the server would make of a model's output, whole or in pieces."""

import io
import json
import sys
from pathlib import Path

import pytest

from tools.parse_output import Asked, main

TEMPLATE = """{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{# calls are written <tool_call> #}{% if tools %}{{ tools | tojson }}{% endif %}<|im_start|>assistant
<think>
{% if not enable_thinking %}
</think>

{% endif %}"""
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = '<tool_call>\n{"name": "f", "arguments": {"a": "é}"}}\n</tool_call>'


def calls(message: dict[str, object]) -> list[tuple[str, str]]:
    found = message.get("tool_calls", [])
    assert isinstance(found, list)
    return [(call["function"]["name"], call["function"]["arguments"]) for call in found]


@pytest.mark.parametrize("stream", [None, 1, 2, 5, 100])
def test_thinking_content_and_calls_come_apart_however_the_output_is_cut(stream: int | None) -> None:
    message = Asked(TEMPLATE, [TOOL]).message(f"Hm.\n</think>\n\nWell. {CALL}", stream=stream)
    assert (message["reasoning_content"], message["content"]) == ("Hm.", "Well.")
    assert calls(message) == [("f", '{"a": "é}"}')]


def test_what_the_template_opens_behind_a_question_is_taken_as_open_unless_another_end_of_the_prompt_is_given() -> None:
    assert Asked(TEMPLATE).message("Hm.</think>Yes.")["reasoning_content"] == "Hm."
    assert Asked(TEMPLATE, thinks=False).message("Yes.")["content"] == "Yes."
    assert Asked(TEMPLATE, prompt_suffix="").message("Yes.")["content"] == "Yes."
    assert Asked(TEMPLATE, thinks=False, prompt_suffix="<think>\n").message("Hm.</think>Yes.")["content"] == "Yes."


def test_thinking_that_somebody_else_opened_is_told_apart_though_the_template_has_no_marks() -> None:
    plain = "{% for message in messages %}{{ message.content }}{% endfor %}"
    message = Asked(plain, prompt_suffix="assistant: <think>So").message(", well.</think>Yes.")
    assert (message["reasoning_content"], message["content"]) == (", well.", "Yes.")
    assert Asked(plain).message("<think>Hm.</think>Yes.")["content"] == "<think>Hm.</think>Yes."


def test_only_the_first_of_several_calls_is_one_unless_they_may_be_parallel() -> None:
    asked = {parallel: Asked(TEMPLATE, [TOOL], thinks=False, in_parallel=parallel) for parallel in (False, True)}
    assert len(calls(asked[True].message(f"{CALL}\n{CALL}"))) == 2
    alone = asked[False].message(f"{CALL}\n{CALL}")
    assert (len(calls(alone)), alone["content"]) == (1, CALL)


def test_without_tools_a_call_is_content() -> None:
    assert Asked(TEMPLATE, thinks=False).message(CALL)["content"] == CALL


def test_an_output_cut_by_the_limit_has_its_call_as_far_as_it_goes() -> None:
    message = Asked(TEMPLATE, [TOOL], thinks=False).message(CALL[:-14], is_partial=True)
    assert calls(message) == [("f", '{"a": "é}"}')]


def test_the_command_reads_files_and_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.jinja").write_text(TEMPLATE)
    (tmp_path / "tools.json").write_text(json.dumps([TOOL]))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"Hm.</think>{CALL}".encode())))
    main(["--template", str(tmp_path / "t.jinja"), "--tools", str(tmp_path / "tools.json"), "--stream", "3"])
    message = json.loads(capsys.readouterr().out)
    assert message["reasoning_content"] == "Hm."
    assert [call["type"] for call in message["tool_calls"]] == ["function"]


def test_a_stream_of_no_characters_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--template", "t", "--stream", "0"])
    assert "0 is not positive" in capsys.readouterr().err
