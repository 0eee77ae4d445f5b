"""Exceptions and their answers."""

import pytest

from engine import ERROR_CODES, EngineError
from handlers.errors import ApiError, as_api_error, error_content, is_unforeseen
from handlers.wire.refusal import InvalidParameter


@pytest.mark.parametrize("code", [code for code in ERROR_CODES if code != "internal"])
def test_every_cause_that_the_engine_knows_has_its_answer(code):
    error = EngineError(code, "what the model did", param="model")
    answer = as_api_error(error, "id")
    assert not is_unforeseen(error)
    assert (answer.message, answer.code, answer.param) == ("what the model did", code, "model")
    is_the_servers = answer.status >= 500 or answer.status == 429
    assert answer.type == ("server_error" if is_the_servers else "invalid_request_error")


def test_a_message_names_the_field_even_where_the_error_has_no_other_place_for_it():
    error = as_api_error(EngineError("invalid_request", "the input has no tokens", param="input[1]"), "id")
    assert error_content(error, "ollama") == {"error": "input[1]: the input has no tokens"}


def test_what_translation_refuses_is_400():
    answer = as_api_error(InvalidParameter("no", "messages[2].content", code="unsupported_parameter"), "id")
    assert (answer.status, answer.param, answer.code) == (400, "messages[2].content", "unsupported_parameter")


@pytest.mark.parametrize("error", [EngineError("internal", "secret"), ValueError("secret"), AssertionError()])
def test_anything_else_is_500_and_names_the_request_alone(error):
    answer = as_api_error(error, "req_7")
    assert is_unforeseen(error)
    assert answer.status == 500
    assert "req_7" in answer.message
    assert "secret" not in answer.message


def test_a_long_message_keeps_its_beginning_and_end():
    answer = as_api_error(
        EngineError("model_not_found", f"the model {'x' * 100_000} does not exist; there is demo"), "id"
    )
    assert len(answer.message) < 1_100
    assert answer.message.startswith("the model x")
    assert answer.message.endswith("there is demo")


def test_each_dialect_has_its_shape():
    error = ApiError(404, "gone", param="model")
    assert error_content(error, "ollama") == {"error": "gone"}
    assert error_content(error, "openai") == {
        "error": {"message": "gone", "type": "invalid_request_error", "param": "model", "code": None}
    }
