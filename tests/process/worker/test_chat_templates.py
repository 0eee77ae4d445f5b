"""A loaded model's conversations are written by the templates of its file, or the one set in their place; what was begun is continued."""

import json

import pytest
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

from engine import BUNDLED_MODEL
from engine.events import ToolCallDelta
from engine.request import ChatPrompt, ToolUse
from tests.process.worker.inprocess import GREEDY, InProcess, load, request

HI = ({"role": "user", "content": "Hi"},)
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SHOWN = "{% for m in messages %}{{ m.content }}{% endfor %}"


@pytest.fixture(scope="module")
def with_named(tmp_path_factory):
    """The demo model with a further template for tools."""
    path = tmp_path_factory.mktemp("named") / "named.gguf"
    reader, writer = GGUFReader(BUNDLED_MODEL), GGUFWriter(path, arch="llama")
    tool_use = MetadataDetails(GGUFValueType.STRING, f"{{{{ tools | length }}}} tools:{SHOWN}")
    copy_with_new_metadata(reader, writer, {"tokenizer.chat_template.tool_use": tool_use}, [])
    return path


def test_a_file_may_have_a_template_for_tools(with_named):
    with load(with_named) as worker:
        assert worker.preparer.render(ChatPrompt(messages=HI, tools=(TOOL,))) == "1 tools:Hi"
        assert "tools:" not in worker.preparer.render(ChatPrompt(messages=HI))


def test_a_template_that_is_set_replaces_all_of_them(with_named):
    with load(with_named, chat_template=f"set:{SHOWN}{{{{ tools }}}}") as worker:
        assert worker.preparer.render(ChatPrompt(messages=HI)) == "set:HiNone"
        assert worker.preparer.render(ChatPrompt(messages=HI, tools=(TOOL,))).startswith("set:Hi[")
        assert worker.facts.chat_template.startswith("set:")


GO = """\
{{- if or .System .Tools }}<|im_start|>system
{{ .System }}{{ range .Tools }}
<tools>{{ json . }}</tools>{{ end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- $is_last := eq (len (slice $.Messages $i)) 1 }}
{{- if ne .Role "system" }}<|im_start|>{{ .Role }}
{{ .Content }}{{ range .ToolCalls }}
<tool_call>{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}</tool_call>{{ end }}
{{- if or (ne .Role "assistant") (not $is_last) }}<|im_end|>
{{ end }}{{ end }}
{{- if and $is_last (ne .Role "assistant") }}<|im_start|>assistant
{{ end }}
{{- end }}"""


def test_a_template_that_is_set_may_be_gos_and_tells_the_form_of_calls():
    with load(chat_template=GO) as worker:
        assert {"tools", "completion"} <= set(worker.facts.capabilities)
        prompt = ChatPrompt(messages=HI, tools=(TOOL,))
        assert worker.preparer.render(prompt).startswith(
            '<|im_start|>system\n\n<tools>{"type":"function","function":{"name":"f"'
        )
        asked = request("", prompt=prompt, tool_use=ToolUse(is_required=True), max_tokens=60)
        (answer,) = InProcess(worker).run(asked)
        assert [event.name for event in answer.events if isinstance(event, ToolCallDelta) and event.name] == ["f"]
        begun = ChatPrompt(messages=(*HI, {"role": "assistant", "content": "Hel"}), continue_final_message=True)
        assert worker.preparer.render(begun).endswith("<|im_start|>assistant\nHel")


def test_an_answer_that_was_begun_is_continued_where_it_stopped(model: InProcess):
    asked = ({"role": "user", "content": "What is the capital of France?"},)
    (whole,) = model.run(request("", prompt=ChatPrompt(messages=asked), sampling=GREEDY))
    begun = whole.text[: len(whole.text) // 2]
    prompt = ChatPrompt(messages=(*asked, {"role": "assistant", "content": begun}), continue_final_message=True)
    (rest,) = model.run(request("", prompt=prompt, sampling=GREEDY))
    assert begun
    assert begun + rest.text == whole.text


def test_a_model_whose_template_has_no_place_for_tools_calls_them_all_the_same():
    chatml = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
    prompt = ChatPrompt(messages=HI, tools=(TOOL,))
    with load(chat_template=chatml) as worker:
        assert "tools" not in worker.facts.capabilities
        forced = request("", prompt=prompt, tool_use=ToolUse(is_required=True, in_parallel=False), max_tokens=64)
        (answer,) = InProcess(worker).run(forced)
    calls = [event for event in answer.events if isinstance(event, ToolCallDelta)]
    assert calls[0].name == "f"
    assert isinstance(json.loads("".join(call.arguments for call in calls)), dict)
