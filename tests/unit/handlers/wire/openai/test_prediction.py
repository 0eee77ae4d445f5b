"""OpenAI's predicted output: in as text, out as token counts."""

import pytest

from engine import Usage
from handlers.wire.openai.envelope import render_usage
from handlers.wire.openai.prediction import parse_prediction


@pytest.mark.parametrize(
    ("prediction", "text"),
    [
        (None, None),
        ({"type": "content", "content": "as it was"}, "as it was"),
        (
            {"type": "content", "content": [{"type": "text", "text": "as it"}, {"type": "text", "text": " was"}]},
            "as it was",
        ),
    ],
    ids=["none", "text", "parts"],
)
def test_the_predicted_text_is_taken_as_it_stands(prediction, text):
    assert parse_prediction(prediction) == text


def test_the_predicted_tokens_are_counted_over_all_generations():
    usage = Usage(accepted_prediction_tokens=5, rejected_prediction_tokens=2)
    details = render_usage([usage, usage])["completion_tokens_details"]
    assert (details["accepted_prediction_tokens"], details["rejected_prediction_tokens"]) == (10, 4)
