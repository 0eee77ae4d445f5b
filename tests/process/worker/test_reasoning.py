"""A real answer's thinking, told apart by the marks of the model's template and counted in tokens."""

import json

import pytest

from engine.events import ReasoningDelta
from engine.request import ChatPrompt, JsonConstraint
from engine.worker.prepare import Preparer
from tests.process.worker.inprocess import request

THINKING_TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}<think>\n{# until </think> #}"


class WithTemplate:
    """The loaded model as if its file had another chat template."""

    def __init__(self, model, chat_template):
        self._model = model
        self.chat_template = chat_template

    def __getattr__(self, name):
        return getattr(self._model, name)


@pytest.fixture
def thinking_model(model, monkeypatch):
    preparer = Preparer(WithTemplate(model.worker.model, THINKING_TEMPLATE), model.generator.ctx_size_tokens)
    monkeypatch.setattr(model.worker, "preparer", preparer)
    return model


def asked(**changes):
    """A chat whose answer can only be one JSON text, with the closing mark in it."""
    constraint = JsonConstraint(schema=json.dumps({"const": "hm</think>yes"}))
    prompt = ChatPrompt(messages=({"role": "user", "content": "Hi"},))
    return request("", prompt=prompt, constraint=constraint, max_tokens=40, **changes)


def test_what_stands_before_the_closing_mark_is_thinking(thinking_model):
    [answer] = thinking_model.run(asked(split_reasoning=True))
    assert "".join(event.text for event in answer.events if isinstance(event, ReasoningDelta)) == '"hm'
    assert answer.text == 'yes"'


def test_thinking_is_counted_in_tokens_up_to_the_closing_mark(thinking_model):
    [answer] = thinking_model.run(asked(split_reasoning=True))
    assert 0 < answer.usage.reasoning_tokens < answer.usage.completion_tokens


def test_without_being_asked_to_split_all_is_content(thinking_model):
    [answer] = thinking_model.run(asked())
    assert answer.text == '"hm</think>yes"'
    assert answer.usage.reasoning_tokens == 0
