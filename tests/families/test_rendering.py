"""Every family's real template shows all of every conversation."""

from functools import cache
from pathlib import Path

import pytest

from engine.chat.prompts.prompt_template import PromptTemplate
from engine.chat.prompts.template import TemplateRefusal
from tests.families.conversations import ANSWER, ASK, CONVERSATIONS, NEXT, Conversation, said
from tests.families.real_templates import each_template, needs_templates

pytestmark = needs_templates


@cache
def template(path: Path) -> PromptTemplate:
    return PromptTemplate(path.read_text(encoding="utf-8"), bos_token="<s>", eos_token="</s>")


@each_template
@pytest.mark.parametrize("conversation", CONVERSATIONS.values(), ids=CONVERSATIONS.keys())
def test_a_prompt_shows_all_of_a_conversation(path: Path, conversation: Conversation) -> None:
    prompt = template(path).render(conversation.messages, conversation.tools)
    texts = conversation.texts
    assert [text for text in texts if text not in prompt and text not in prompt.replace('\\"', '"')] == []


@each_template
def test_an_assistants_word_first_is_shown_or_refused_in_the_templates_words(path: Path) -> None:
    try:
        shown = template(path).render([ANSWER, ASK])
    except TemplateRefusal as refusal:
        said_so, shown = str(refusal), "qfirst answer"
    else:
        said_so = ""
    assert said_so in path.read_text(encoding="utf-8")
    assert "qfirst answer" in shown


@each_template
@pytest.mark.parametrize("text", ["The answer", "  Indented\n\nlines: ", "[", "qfirst question"])
def test_an_answer_that_was_begun_is_where_the_prompt_ends(path: Path, text: str) -> None:
    prompt = template(path).render([ASK, ANSWER, NEXT, said("assistant", text)], continue_final_message=True)
    assert prompt.rstrip().endswith(text.strip())
    assert "qsecond question" in prompt
