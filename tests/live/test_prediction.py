"""A predicted output is accepted from OpenAI's own client, changes no answer, and its use is accounted for."""

import openai
import pytest

from tests.live.clients import ask


@pytest.mark.parametrize("prediction", ["Hello! How can I help you?", "nothing like the answer", ""])
def test_a_prediction_changes_no_answer(server, model, prediction):
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)
    body = {"model": model, "messages": ask("Hello!"), "temperature": 0, "max_completion_tokens": 40}
    plain = client.chat.completions.create(**body)
    predicted = client.chat.completions.create(**body, prediction={"type": "content", "content": prediction})
    details = predicted.usage.completion_tokens_details
    assert predicted.choices[0].message.content == plain.choices[0].message.content
    assert predicted.usage.completion_tokens == plain.usage.completion_tokens
    assert details.accepted_prediction_tokens <= predicted.usage.completion_tokens
    assert details.rejected_prediction_tokens >= 0


def test_a_prediction_of_another_type_is_refused(http, model):
    body = {"model": model, "messages": ask("Hello!"), "prediction": {"type": "text", "content": "a"}}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 400
    assert "prediction" in answer.json()["error"]["message"]
