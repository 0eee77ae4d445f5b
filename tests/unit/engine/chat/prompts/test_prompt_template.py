"""Whatever a conversation looks like, its template shows all of it, or says why not."""

import json
from typing import Any

import pytest

from engine.chat.prompts.prompt_template import PromptTemplate
from engine.chat.prompts.template import TemplateError, TemplateRefusal
from tests.unit.engine.chat import family_templates as families

Message = dict[str, Any]

TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "", "parameters": {"type": "object", "properties": {}}},
}


def said(role: str, content: Any, **more: Any) -> Message:
    return {"role": role, "content": content, **more}


def call(arguments: Any, call_id: str = "call_0123456789", name: str = "weather") -> Message:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def render(source: str, *messages: Message, tools: tuple[Message, ...] = (), **kwargs: Any) -> str:
    variables = kwargs.pop("variables", {})
    return PromptTemplate(source, bos_token="<bos>").render(messages, tools, variables, **kwargs)


ASK, HI, BYE = said("system", "Be brief."), said("user", "Hi"), said("user", "Bye")
RESULT = said("tool", "sunny", tool_call_id="call_0123456789", name="weather")


def called(arguments: Any = '{"city": "Rome"}', content: Any = "") -> Message:
    return said("assistant", content, tool_calls=[call(arguments)])


def test_a_system_message_that_is_refused_stands_in_front_of_the_users() -> None:
    assert render(families.STRICT, ASK, HI) == (
        "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n"
    )


def test_a_system_message_without_a_user_message_behind_it_is_the_users() -> None:
    prompt = render(families.STRICT, ASK, said("assistant", "Hello."), BYE, add_generation_prompt=False)
    assert prompt == (
        "<bos><start_of_turn>user\nBe brief.<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
        "<start_of_turn>user\nBye<end_of_turn>\n"
    )


def test_messages_of_one_role_are_joined_where_roles_must_alternate() -> None:
    assert "user\nHi\n\nBye<end" in render(families.STRICT, HI, BYE)


def test_a_later_system_message_goes_to_the_user_where_one_is_taken_first_only() -> None:
    prompt = render(families.SYSTEM_FIRST, ASK, HI, said("assistant", "Yes?"), said("system", "Hurry."), BYE)
    assert prompt == "[system]Be brief.\n[user]Hi\n[assistant]Yes?\n[user]Hurry.\n\nBye\n[assistant]"


def test_system_messages_at_the_beginning_become_one() -> None:
    prompt = render(families.SYSTEM_FIRST, ASK, said("system", "Be kind."), HI)
    assert prompt.startswith("[system]Be brief.\n\nBe kind.\n[user]Hi")


def test_what_a_template_would_leave_out_without_a_word_is_folded_in() -> None:
    prompt = render(families.FIRST_SYSTEM_ONLY, HI, called(), RESULT, said("system", "Hurry."), BYE)
    for text in ("Hi", '"city": "Rome"', "<tool_response>\nsunny\n</tool_response>", "Hurry.\n\nBye"):
        assert text in prompt


def test_a_conversation_that_needs_nothing_is_rendered_as_it_is() -> None:
    messages = [ASK, HI, said("assistant", "Yes?"), BYE]
    assert (
        render(families.SYSTEM_FIRST, *messages)
        == "".join(f"[{m['role']}]{m['content']}\n" for m in messages) + "[assistant]"
    )


def test_what_cannot_be_folded_is_refused_in_the_templates_words() -> None:
    with pytest.raises(TemplateRefusal, match=r"^Roles must alternate$"):
        render(families.STRICT, said("assistant", "Hello."), HI)


def test_what_is_left_out_for_good_is_refused_by_its_place() -> None:
    with pytest.raises(TemplateRefusal, match="leaves out what message 1 says"):
        render("{{ messages[0].content }}", HI, said("assistant", "Yes?"), BYE)


def test_a_template_that_renders_nothing_at_all_is_broken() -> None:
    with pytest.raises(TemplateError, match="nosuchfilter"):
        render("{{ x | nosuchfilter }}", HI)


@pytest.mark.parametrize("given", ['{"city": "Rome"}', {"city": "Rome"}])
@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (families.OBJECT_ARGUMENTS, "<parameter=city>Rome</parameter>"),
        (families.TEXT_ARGUMENTS, '<function=weather>{"city": "Rome"}'),
        (families.JSON_ARGUMENTS, '"arguments": {"city": "Rome"}}'),
        (families.EITHER_ARGUMENTS, '{"city": "Rome"}'),
        (families.CALLS_IN_TEXT, "<|tool_call_start|>[weather(city='Rome')]<|tool_call_end|>"),
    ],
)
def test_arguments_come_in_the_form_that_the_template_takes(source: str, shown: str, given: Any) -> None:
    assert shown in render(source, HI, called(given), RESULT)


def test_arguments_stay_the_text_they_were_where_text_is_taken() -> None:
    assert '{"city":"Rome"}' in render(families.EITHER_ARGUMENTS, HI, called('{"city":"Rome"}'), RESULT)


@pytest.mark.parametrize(
    "source", [families.OBJECT_ARGUMENTS, families.JSON_ARGUMENTS, families.TEXT_ARGUMENTS, families.EITHER_ARGUMENTS]
)
@pytest.mark.parametrize("arguments", ['{"city": Ro', "[1, 2]", "null", "[" * 3000])
def test_arguments_that_are_no_object_are_shown_as_the_text_they_are(source: str, arguments: str) -> None:
    prompt = render(source, HI, called(arguments), RESULT)
    assert arguments in prompt or json.dumps(arguments)[1:-1] in prompt


@pytest.mark.parametrize("arguments", ["", " ", None, {}])
def test_no_arguments_are_an_empty_object(arguments: Any) -> None:
    assert '"arguments": {}}' in render(families.JSON_ARGUMENTS, HI, called(arguments), RESULT)
    assert "<function=weather>{}" in render(families.TEXT_ARGUMENTS, HI, called(arguments), RESULT)


def test_text_beside_a_call_becomes_a_message_where_only_one_is_shown() -> None:
    prompt = render(families.CALLS_INSTEAD_OF_TEXT, HI, called(content="I look."), RESULT)
    assert prompt.startswith("[user]Hi\n[assistant]I look.\n[call]")


def test_calls_are_shown_one_after_another_where_one_is_taken_at_a_time() -> None:
    calls = said("assistant", "", tool_calls=[call({"city": "Rome"}, "a"), call({"city": "Oslo"}, "b")])
    results = said("tool", "rain", tool_call_id="b"), said("tool", "sun", tool_call_id="a")
    lines = render(families.CALLS_INSTEAD_OF_TEXT, HI, calls, *results).splitlines()
    assert [line[:6] for line in lines] == ["[user]", "[call]", "[tool]", "[call]", "[tool]"]
    assert ("Rome" in lines[1], lines[2], "Oslo" in lines[3], lines[4]) == (True, "[tool]sun", True, "[tool]rain")


def test_call_ids_become_short_where_they_must_be_and_still_match() -> None:
    prompt = render(families.SHORT_IDS, HI, called({"city": "Rome"}), RESULT, said("assistant", "Sunny."), BYE)
    called_id = prompt.partition('"id": "')[2][:9]
    assert f"[RESULT]{called_id} sunny" in prompt


def test_calls_without_ids_get_some_where_they_must_have_them() -> None:
    unnamed = {"type": "function", "function": {"name": "weather", "arguments": {}}}
    prompt = render(families.SHORT_IDS, HI, said("assistant", "", tool_calls=[unnamed]), said("tool", "sunny"))
    made_up = prompt.partition('"id": "')[2][:9]
    assert f"[RESULT]{made_up} sunny" in prompt


def test_text_beside_calls_goes_before_the_answer_where_there_can_be_one_text_only() -> None:
    turn = (HI, called({}, content="I look."), RESULT, said("assistant", "Sunny."), BYE)
    assert "sunny[assistant]I look.\n\nSunny.[user]Bye" in render(families.SHORT_IDS, *turn)


@pytest.mark.parametrize(
    ("source", "content", "shown"),
    [
        (families.PARTS_ONLY, "Hi", "[user]Hi"),
        (families.PARTS_ONLY, [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "[user]ab"),
        (families.PARTS_OR_TEXT, "Hi", "[user]Hi"),
        (families.PARTS_OR_TEXT, [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "[user]ab"),
        (families.SYSTEM_FIRST, [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "[user]a\nb\n"),
        (
            "{% for m in messages %}[user]{{ m.content + '\n' }}{% endfor %}",
            [{"type": "text", "text": "a"}],
            "[user]a\n",
        ),
    ],
)
def test_content_comes_in_the_form_that_the_template_takes(source: str, content: Any, shown: str) -> None:
    assert render(source, said("user", content), add_generation_prompt=False) == shown


def test_a_developer_is_the_system_but_where_the_template_knows_one() -> None:
    developer = said("developer", "Be brief.")
    assert render(families.DEVELOPER, developer, HI).startswith("<instructions>Be brief.")
    assert render(families.SYSTEM_FIRST, developer, HI).startswith("[system]Be brief.")


@pytest.mark.parametrize("name", ["reasoning_content", "thinking", "reasoning", "thought"])
def test_reasoning_is_found_under_the_templates_own_name(name: str) -> None:
    source = "{% for m in messages %}{{ m." + name + " }}|{{ m.content }}{% endfor %}"
    assert render(source, said("assistant", "So.", reasoning_content="Hm."), HI) == "Hm.|So.|Hi"


def test_no_tools_are_an_empty_list_for_a_template_that_wants_one() -> None:
    assert render(families.TOOL_USE_ONLY, HI).endswith("[user]Hi")


@pytest.mark.parametrize("function", [{"name": "f"}, {"name": "f", "description": "x"}])
def test_a_tool_without_parameters_takes_none(function: Message) -> None:
    assert render(families.TOOL_USE_ONLY, HI, tools=({"type": "function", "function": function},)).startswith("{}")


def test_a_tool_is_described_plainly_where_a_template_fails_on_its_schema() -> None:
    source = (
        "{% for t in tools %}{% for p in t.function.parameters.properties.values() %}{{ p.type.upper() }}{% endfor %}{% endfor %}"
        "{{ messages[0].content }}"
    )
    properties = {"a": {"anyOf": [{"type": "null"}, {"type": "integer"}]}, "b": {"type": ["null", "array"]}, "c": {}}
    function = {"name": "f", "parameters": {"type": "object", "properties": properties}}
    assert render(source, HI, tools=({"type": "function", "function": function},)) == "INTEGERARRAYSTRINGHi"


def test_functions_and_the_time_are_given_where_they_are_named_so() -> None:
    source = "{{ functions }}{{ datetime | length }}{{ messages[0].content }}"
    assert render(source, HI, tools=(TOOL,)).startswith('[\n    {\n        "name": "weather"')


class TestToolsInWords:
    def test_they_are_told_of_behind_the_system_message(self) -> None:
        prompt = render(families.SYSTEM_FIRST, ASK, HI, tools=(TOOL,))
        assert prompt.startswith("[system]Be brief.\n\nYou can call")
        for text in (json.dumps(TOOL["function"]), '<tool_call>\n{"name": "NAME"', "[user]Hi"):
            assert text in prompt

    def test_they_are_the_users_where_there_is_no_system(self) -> None:
        prompt = render(families.STRICT, HI, called(), RESULT, tools=(TOOL,))
        assert prompt.startswith("<bos><start_of_turn>user\nYou can call")
        assert '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call><end_of_turn>' in prompt

    def test_they_are_called_in_the_form_that_the_template_mentions(self) -> None:
        known = PromptTemplate(families.STRICT + "{# [TOOL_CALLS] #}")
        assert known.text.endswith('[TOOL_CALLS][{"name": "NAME", "arguments": {"PARAMETER": "VALUE"}}]')
        assert "[TOOL_CALLS][{" in known.render([HI], [TOOL])

    def test_a_template_with_a_place_for_tools_tells_of_them_itself(self) -> None:
        assert PromptTemplate(families.TOOL_USE_ONLY).text == families.TOOL_USE_ONLY


class TestContinuing:
    def test_the_prompt_ends_with_the_assistants_text(self) -> None:
        prompt = render(families.CALLS_IN_TEXT, HI, said("assistant", "The answer"), continue_final_message=True)
        assert prompt == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nThe answer"

    def test_white_space_at_its_end_is_kept_as_far_as_the_template_keeps_it(self) -> None:
        begun = said("assistant", "The answer: ")
        assert render(families.CALLS_IN_TEXT, HI, begun, continue_final_message=True).endswith("answer: ")
        assert render(families.STRICT, HI, begun, continue_final_message=True).endswith("answer:")

    def test_text_that_was_said_before_is_not_where_it_ends(self) -> None:
        prompt = render(families.CALLS_IN_TEXT, said("user", "a"), said("assistant", "a"), continue_final_message=True)
        assert prompt == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\na"

    def test_an_answer_is_behind_its_thinking(self) -> None:
        prompt = render(
            families.THINKING, HI, said("assistant", "Yes", reasoning_content="Hm."), continue_final_message=True
        )
        assert prompt.endswith("<think>\nHm.\n</think>\n\nYes")

    def test_thinking_written_in_the_text_is_not_thought_twice(self) -> None:
        begun = said("assistant", "<think>\nHm. Let me")
        assert render(families.THINKING, HI, begun, continue_final_message=True).endswith(
            "assistant\n<think>\nHm. Let me"
        )
        assert render(families.OPENS_THINKING, HI, begun, continue_final_message=True).endswith(
            "<assistant><think>\nHm. Let me"
        )

    def test_thinking_alone_is_continued_as_thinking(self) -> None:
        begun = said("assistant", "", reasoning_content="Hm. Let")
        assert render(families.THINKING, HI, begun, continue_final_message=True).endswith("assistant\n<think>\nHm. Let")
        assert render(families.OPENS_THINKING, HI, begun, continue_final_message=True).endswith(
            "<assistant><think>\nHm. Let"
        )

    def test_thoughts_that_the_template_leaves_out_are_put_before_the_text(self) -> None:
        begun = said("assistant", "Yes", reasoning_content="Hm.")
        assert render(families.OPENS_THINKING, HI, begun, continue_final_message=True).endswith(
            "<assistant><think>\nHm.</think>Yes"
        )
        source = families.OPENS_THINKING.replace("<assistant><think>\n", "<assistant><think></think>")
        assert render(source, HI, begun, continue_final_message=True).endswith("<assistant><think>Hm.</think>Yes")

    def test_text_is_not_put_within_thinking_that_the_template_opens(self) -> None:
        source = families.OPENS_THINKING.replace("{% if add_generation_prompt %}", "{% if True %}").replace(
            "{% for m in messages %}", "{% for m in messages if m.role == 'user' %}"
        )
        prompt = render(source, HI, said("assistant", "Yes"), continue_final_message=True)
        assert prompt.endswith("<assistant><think>\n</think>Yes")

    def test_a_first_sentence_of_thinking_that_the_prompt_has_is_not_said_twice(self) -> None:
        sentence = "Here are my reasoning steps:"
        source = (
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
            f"{{% if add_generation_prompt %}}[assistant]{sentence}\n{{% endif %}}{{# [BEGIN FINAL RESPONSE] #}}"
        )
        begun = said("assistant", "", reasoning_content=f"{sentence}\nFirst")
        assert render(source, HI, begun, continue_final_message=True) == f"[user]Hi[assistant]{sentence}\nFirst"
        answered = {**begun, "content": "Yes"}
        assert render(source, HI, answered, continue_final_message=True).endswith("First\n[BEGIN FINAL RESPONSE]\nYes")

    def test_a_template_that_wants_the_users_word_last_gets_the_text_behind_it(self) -> None:
        source = (
            "{% if messages[-1].role != 'user' %}{{ raise_exception('last must be user') }}{% endif %}"
            "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
        )
        assert render(source, HI, said("assistant", "So"), continue_final_message=True) == "[user]Hi[assistant]So"

    def test_no_text_yet_is_the_opening_of_an_answer(self) -> None:
        assert render(families.STRICT, HI, said("assistant", ""), continue_final_message=True) == render(
            families.STRICT, HI
        )

    def test_parts_are_continued_too(self) -> None:
        begun = said("assistant", [{"type": "text", "text": "The"}])
        assert render(families.PARTS_OR_TEXT, HI, begun, continue_final_message=True).endswith("[assistant]The")


def test_an_answer_is_opened_where_the_template_closes_the_turn_behind_results() -> None:
    made = '<user>Hi</><model>[call {"city": "Rome"}][result: sunny]'
    beside = render(families.CLOSES_TURN_BEHIND_RESULTS, HI, called(content="Let me see."), RESULT)
    assert beside == f"{made}Let me see.</><model>"
    assert render(families.CLOSES_TURN_BEHIND_RESULTS, HI, called(), RESULT) == made
    again = render(families.CLOSES_TURN_BEHIND_RESULTS, HI, called(content="So."), RESULT, add_generation_prompt=False)
    assert again.endswith("So.</>")


def test_results_stand_in_the_order_of_their_calls() -> None:
    calls = said("assistant", "", tool_calls=[call("{}", "one"), call("{}", "two")])
    first, second = said("tool", "qfirst", tool_call_id="one"), said("tool", "qsecond", tool_call_id="two")
    prompt = render(families.CALLS_IN_TEXT, HI, calls, second, first)
    assert prompt == render(families.CALLS_IN_TEXT, HI, calls, first, second)
    assert prompt.index("qfirst") < prompt.index("qsecond")
    unnamed = render(families.CALLS_IN_TEXT, HI, calls, said("tool", "qthird"), said("tool", "qfourth"))
    assert unnamed.index("qthird") < unnamed.index("qfourth")


def test_a_long_conversation_is_rehearsed_by_its_shape_alone() -> None:
    turns = [HI, called({}), RESULT, called({}), RESULT, said("assistant", "Sunny.")] * 500
    prompt = render(families.STRICT, ASK, *turns, BYE)
    assert prompt.count("sunny") == 1000
    assert prompt.endswith("<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n")


def test_values_nested_too_deep_are_refused() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises((TemplateRefusal, TemplateError)):
        render(families.JSON_ARGUMENTS, HI, called({"deep": deep}), RESULT)
