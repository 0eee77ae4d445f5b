"""Whose template writes a prompt, and whose fault it is when it can't."""

import pytest

from engine.errors import EngineError
from engine.request import ChatPrompt
from engine.worker.prompt_templates import PromptTemplates

HI = ({"role": "user", "content": "Hi"},)
TOOL = {"type": "function", "function": {"name": "f"}}
OWN = "own:{% for message in messages %}{{ message.content }}{% endfor %}"


def templates(source: str = OWN) -> PromptTemplates:
    return PromptTemplates(source, bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        (None, "own:Hi"),
        ("{{ .Prompt }}!{{ .Response }}", "Hi!"),
        ("{{ range .Messages }}{{ .Role }}={{ .Content }}{{ end }}", "user=Hi"),
        ("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}", "<s>Hi</s>"),
    ],
)
def test_a_request_may_bring_its_own_template_in_either_syntax(template: str | None, prompt: str) -> None:
    assert templates().render(ChatPrompt(messages=HI, template=template)) == prompt


def test_the_template_for_tools_or_documents_is_taken_where_there_are_some() -> None:
    shown = "{% for message in messages %}{{ message.content }}{% endfor %}"
    known = PromptTemplates(
        f"plain:{shown}",
        {
            "tool_use": f"tools{{{{ tools | length }}}}:{shown}",
            "rag": f"{{{{ documents[0].text }}}}:{shown}",
            "other": "{{ 1 + }}",
        },
        bos_token="",
        eos_token="",
    )
    documents = {"documents": [{"text": "book"}]}
    assert known.render(ChatPrompt(messages=HI)) == "plain:Hi"
    assert known.render(ChatPrompt(messages=HI, tools=(TOOL,))) == "tools1:Hi"
    assert known.render(ChatPrompt(messages=HI, template_kwargs=documents)) == "book:Hi"
    assert known.supports_tools
    assert "tools{{" in known.text


def test_a_models_own_template_may_be_gos() -> None:
    assert templates("{{ .Prompt }}>{{ .Response }}").render(ChatPrompt(messages=HI)) == "Hi>"


def test_a_suffix_needs_a_place_in_the_template() -> None:
    filled = ChatPrompt(messages=HI, template_kwargs={"suffix": "end"}, template="{{ .Prompt }}_{{ .Suffix }}")
    assert templates().render(filled) == "Hi_end"
    jinja = ChatPrompt(
        messages=HI, template_kwargs={"suffix": "end"}, template="{{ messages[0].content }}_{{ suffix }}"
    )
    assert templates().render(jinja) == "Hi_end"
    with pytest.raises(EngineError, match="the request's template has no place for a suffix") as error:
        templates().render(ChatPrompt(messages=HI, template_kwargs={"suffix": "end"}, template="{{ .Prompt }}"))
    assert (error.value.code, error.value.param) == ("invalid_request", "suffix")


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{{ .Prompt", "line 1, column 1: an action has no end"),
        ("a\n{{ .Nothing }}", r"line 2, column 4: in \.Nothing: request has no field"),
        ("{{ template `x` }}{{ .Prompt }}", r"line 1, column 4: \{\{template\}\} is not supported"),
        ("{{ .Prompt }}{{ range 1000000000 }}" + "a" * 1000 + "{{ end }}", "it makes a value of more than"),
        ("{% if %}", "line 1: Expected an expression"),
        ("{{ a }}" * 5000, "it is longer than 32,768 characters"),
        ("{{ raise_exception('no') }}", "no"),
    ],
)
def test_a_broken_template_of_a_request_is_the_requests_fault(template: str, complaint: str) -> None:
    with pytest.raises(EngineError, match=f"the request's template cannot be used: {complaint}") as error:
        templates().render(ChatPrompt(messages=HI, template=template))
    assert (error.value.code, error.value.param) == ("invalid_request", "template")


@pytest.mark.parametrize("source", ["{% if %}", "{{ .Prompt"])
def test_a_broken_template_of_the_model_is_not(source: str) -> None:
    with pytest.raises(EngineError, match="the model's chat template is broken") as error:
        templates(source).render(ChatPrompt(messages=HI))
    assert error.value.code == "template_failed"


LONG = "{{ 'a' * (n or messages | length) * 100000 }}"
LONG_GO = "{{ range .Messages }}{{ range 10000 }}" + "a" * 600 + "{{ end }}{{ end }}"
CHAT = (*HI, {"role": "assistant", "content": "Hi"}, *HI)


@pytest.mark.parametrize(
    ("source", "prompt"),
    [
        (f"{OWN}{LONG}", ChatPrompt(messages=HI, template_kwargs={"n": 90_000})),
        (f"{OWN}{LONG}", ChatPrompt(messages=HI * 900)),
        ("{% for m in messages %}{{ m.content * 90000 }}{% endfor %}", ChatPrompt(messages=HI * 90)),
        (LONG_GO, ChatPrompt(messages=CHAT)),
        (
            "{{ range .Messages }}{{ slice .Content 0 2 }}{{ end }}",
            ChatPrompt(messages=({"role": "user", "content": "H"},)),
        ),
    ],
)
def test_what_a_working_template_makes_too_much_of_is_the_requests_fault(source: str, prompt: ChatPrompt) -> None:
    with pytest.raises(EngineError, match="the model's chat template") as error:
        templates(source).render(prompt)
    assert (error.value.code, error.value.param) == ("invalid_request", "messages")


@pytest.mark.parametrize("source", ["{{ 'a' * 90000000 }}", "{{ range 1000000000 }}" + "a" * 1000 + "{{ end }}"])
def test_a_template_that_is_out_of_bounds_whatever_it_is_given_is_the_models_fault(source: str) -> None:
    with pytest.raises(EngineError, match="the model's chat template failed") as error:
        templates(source).render(ChatPrompt(messages=HI))
    assert error.value.code == "template_failed"


NAMED = "{% for m in messages %}{{ m.name if m.role == 'user' else m.role }}: {{ m.content }}{% endfor %}{{ shout }}"


@pytest.mark.parametrize(
    ("source", "unused"),
    [
        (OWN, ("template_kwargs.shout", "messages[0].name", "messages[1].name", "messages[2].name")),
        (NAMED, ("messages[1].name",)),
        ("{{ .Prompt }}", ("template_kwargs.shout", "messages[0].name", "messages[1].name", "messages[2].name")),
    ],
)
def test_what_a_template_shows_nothing_of_is_told(source: str, unused: tuple[str, ...]) -> None:
    named = [{"role": role, "content": "Hi", "name": "Bob"} for role in ("user", "assistant", "user", "tool")]
    prompt = ChatPrompt(messages=(*named, {"role": "user", "content": "Bye"}), template_kwargs={"shout": True})
    assert templates(source).unused(prompt) == unused
    assert templates(source).unused(ChatPrompt(messages=HI)) == ()


@pytest.mark.parametrize(
    ("template", "fields", "param"),
    [
        ("{{ .Prompt }}", {"tools": (TOOL,)}, "tools"),
        ("{{ messages }}", {"tools": (TOOL,)}, "tools"),
        ("{{ .Prompt }}", {"template_kwargs": {"documents": [{"text": "d"}]}}, "documents"),
        (None, {"template_kwargs": {"documents": [{"text": "d"}]}}, "documents"),
    ],
)
def test_what_a_template_has_no_place_for_is_refused(
    template: str | None, fields: dict[str, object], param: str
) -> None:
    with pytest.raises(EngineError, match=f"template has no place for {param}") as error:
        templates().render(ChatPrompt(messages=HI, template=template, **fields))  # type: ignore[arg-type] # either field
    assert error.value.param == param


def test_tools_are_told_of_in_words_where_the_models_template_has_no_place_for_them() -> None:
    known = templates()
    assert '{"name": "f"}' in known.render(ChatPrompt(messages=HI, tools=(TOOL,)))
    assert "<tool_call>" in known.text
    assert not known.supports_tools


@pytest.mark.parametrize(
    ("template", "unused"),
    [
        ("{{ .System }} {{ .Prompt }}", ()),
        ("{{ .Prompt }}", ("system",)),
        ("{% for m in messages if m.role == 'system' %}{{ m.content | trim }}{% endfor %}", ("prompt",)),
    ],
)
def test_what_a_requests_own_template_leaves_out_is_told(template: str, unused: tuple[str, ...]) -> None:
    messages = ({"role": "system", "content": "Be brief. "}, {"role": "user", "content": "Hello?"})
    assert templates(OWN).unused(ChatPrompt(messages=messages, template=template)) == unused
