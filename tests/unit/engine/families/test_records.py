"""Each family's record renders conversations as its models were trained to read them."""

import msgspec
import pytest

from engine.chat.prompts.templates import model_template
from engine.families import FAMILIES, LAST_RESORT, Sampling
from tests.family_prompts import BYE, CONVERSATION, HI, PROMPTS, SYSTEM

CALL = {"id": "call00001", "type": "function", "function": {"name": "add", "arguments": {"a": 1}}}
TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
TOOL_JSON = '{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}'
CALLING = [
    HI,
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "2", "tool_call_id": "call00001"},
]


def render(family: str, messages: list[dict[str, object]], *tools: dict[str, object], **variables: object) -> str:
    template = model_template(FAMILIES[family].template, bos_token="<s>", eos_token="</s>")
    return template.render(messages, tools, variables)


def test_every_record_is_known_by_its_file_and_has_a_prompt_here() -> None:
    assert set(FAMILIES) == set(PROMPTS)
    assert all(family.name == name for name, family in FAMILIES.items())
    assert LAST_RESORT.name == "chatml"


@pytest.mark.parametrize("family", PROMPTS)
def test_a_conversation_is_written_as_the_family_reads_it(family: str) -> None:
    assert render(family, CONVERSATION) == PROMPTS[family]


@pytest.mark.parametrize("family", PROMPTS)
def test_no_message_is_dropped_whatever_its_role(family: str) -> None:
    roles = ("user", "assistant", "user", "system", "user")
    prompt = render(family, [{"role": role, "content": f"<{number}>"} for number, role in enumerate(roles)])
    assert all(prompt.count(f"<{number}>") == 1 for number in range(len(roles)))


@pytest.mark.parametrize("family", PROMPTS)
def test_instructions_alone_are_a_conversation(family: str) -> None:
    assert "Be brief." in render(family, [SYSTEM])


@pytest.mark.parametrize("family", PROMPTS)
def test_an_answer_of_a_tool_is_shown(family: str) -> None:
    assert "42" in render(
        family, [HI, {"role": "assistant", "content": None, "tool_calls": [CALL]}, {"role": "tool", "content": "42"}]
    )


@pytest.mark.parametrize(
    ("family", "turn"),
    [
        ("gemma", "<start_of_turn>user\nHi\n\nBye<end_of_turn>\n"),
        ("llama-2", "[INST] Hi\n\nBye [/INST]"),
        ("mistral-v1", "[INST] Hi\n\nBye [/INST]"),
    ],
)
def test_turns_alternate_where_the_family_knows_nothing_else(family: str, turn: str) -> None:
    assert render(family, [HI, BYE]).startswith(turn)


@pytest.mark.parametrize("family", ["qwen", "qwen3"])
def test_results_of_tools_stand_in_one_turn(family: str) -> None:
    results = [{"role": "tool", "content": text, "tool_call_id": "call00001"} for text in "12"]
    turn = (
        "\n".join(["<|im_start|>user", *(f"<tool_response>\n{text}\n</tool_response>" for text in "12")])
        + "<|im_end|>\n"
    )
    assert render(family, [*CALLING[:2], *results], TOOL).endswith(turn + "<|im_start|>assistant\n")


@pytest.mark.parametrize("family", ["qwen", "qwen3"])
def test_qwen_is_shown_tools_calls_and_results_in_hermes_form(family: str) -> None:
    prompt = render(family, [SYSTEM, *CALLING], TOOL)
    assert prompt.startswith("<|im_start|>system\nBe brief.\n\n")
    assert f"<tools>\n{TOOL_JSON}\n</tools>" in prompt
    assert (
        '<|im_start|>assistant\n<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call><|im_end|>\n' in prompt
    )
    assert "<|im_start|>user\n<tool_response>\n2\n</tool_response><|im_end|>\n" in prompt
    assert prompt.count("Be brief.") == 1


@pytest.mark.parametrize(
    ("family", "space"), [("mistral-v3", " "), ("mistral-v3-tekken", ""), ("mistral-v7-tekken", "")]
)
def test_mistral_is_shown_tools_calls_and_results_between_its_marks(family: str, space: str) -> None:
    assert render(family, CALLING, TOOL) == (
        f"[AVAILABLE_TOOLS]{space}[{TOOL_JSON}][/AVAILABLE_TOOLS][INST]{space}Hi[/INST]"
        f'[TOOL_CALLS]{space}[{{"name": "add", "arguments": {{"a": 1}}, "id": "call00001"}}]</s>'
        f'[TOOL_RESULTS]{space}{{"content": "2", "call_id": "call00001"}}[/TOOL_RESULTS]'
    )


@pytest.mark.parametrize("family", ["qwen3", "deepseek"])
def test_a_thinking_family_is_shown_an_empty_thought_where_it_is_not_to_think(family: str) -> None:
    assert render(family, [HI], enable_thinking=False).endswith("<think>\n\n</think>\n\n")
    assert render(family, [HI], enable_thinking=True) == render(family, [HI])


@pytest.mark.parametrize(
    "field", [{"top_p": 1.5}, {"temperature": -1.0}, {"repeat_penalty": 0.0}, {"min_p": float("nan")}]
)
def test_sampling_that_cannot_be_meant_is_refused(field: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(field))} is"):
        Sampling(**field)  # type: ignore[arg-type] # top_k is the one integer


def test_a_record_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="temprature"):
        msgspec.convert({"temprature": 1}, Sampling)
