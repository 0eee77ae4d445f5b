"""Each family's template is asked for an effort by the names and in the words that it has for it."""

import pytest

from engine.chat.prompts.thinking_switch import thinking_variables

SWITCH = "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
STRICT = "{% if thinking_effort not in ['low', 'high', 'max'] %}{{ raise_exception('no') }}{% endif %}{{ thinking }}"
OWN_WORD = "{% if reasoning_effort not in ['high', 'low', 'no_think'] %}{{ raise_exception('no') }}{% endif %}"
FREE = "Reasoning: {{ reasoning_effort }}"


def test_nothing_is_said_unless_asked() -> None:
    assert thinking_variables(SWITCH, None) == {}


@pytest.mark.parametrize(("effort", "thinks"), [("none", False), ("on", True), ("low", True), ("max", True)])
def test_a_switch_is_set_under_each_of_its_names(effort: str, thinks: bool) -> None:
    variables = thinking_variables(SWITCH, effort)
    assert {variables["enable_thinking"], variables["thinking"], variables["reasoning"]} == {thinks}
    assert variables["thinking_mode"] == ("enabled" if thinks else "disabled")
    assert (variables.get("thinking_budget") == 0) is not thinks


@pytest.mark.parametrize(
    ("template", "name", "effort", "word"),
    [
        (FREE, "reasoning_effort", "high", "high"),
        (FREE, "reasoning_effort", "minimal", "minimal"),
        (FREE, "reasoning_effort", "none", "low"),
        (FREE, "reasoning_effort", "on", None),
        (STRICT, "thinking_effort", "medium", "low"),
        (STRICT, "thinking_effort", "minimal", "low"),
        (STRICT, "thinking_effort", "xhigh", "high"),
        (STRICT, "thinking_effort", "none", None),
        (OWN_WORD, "reasoning_effort", "none", "no_think"),
        (OWN_WORD, "reasoning_effort", "max", "high"),
        (OWN_WORD, "reasoning_effort", "on", "low"),
        (SWITCH, "reasoning_effort", "high", None),
    ],
)
def test_a_level_is_said_in_a_word_that_the_template_takes(
    template: str, name: str, effort: str, word: str | None
) -> None:
    assert thinking_variables(template, effort).get(name) == word
