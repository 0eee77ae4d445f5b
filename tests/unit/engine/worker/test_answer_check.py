"""What was promised to be valid is looked at once more when it is complete: as its reader gets it, thinking and markup left out."""

import json

import pytest

from engine.chat.reader.answer import CallPiece, Content, Reasoning
from engine.llama.json_schemas import JsonSchema
from engine.llama.library import LlamaError
from engine.worker.answer_check import AnswerCheck

NUMBER = JsonSchema(json.dumps({"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}))


def checked(*pieces, content=None, arguments=None):
    check = AnswerCheck(content, arguments or {}).copy()
    for piece in pieces:
        check.note(piece)
    check.check()


def test_content_is_checked_whole_and_thinking_not():
    checked(Reasoning("{"), Content('{"a"'), Content(": 1}"), content=NUMBER)
    with pytest.raises(LlamaError, match=r"the answer is not valid under the schema: .*1 was expected"):
        checked(Content('{"a"'), Content(": 2}"), content=NUMBER)


def test_an_answer_that_is_missing_is_not_valid():
    with pytest.raises(LlamaError, match="no JSON"):
        checked(Reasoning('{"a": 1}'), content=NUMBER)


def test_the_arguments_of_each_call_are_checked_under_their_own_functions_schema():
    arguments = {"f": NUMBER}
    calls = [CallPiece(0, "x", "f"), CallPiece(0, arguments='{"a": '), CallPiece(0, arguments="1}")]
    free = [CallPiece(1, "y", "g", '{"a": 2}')]
    checked(*calls, *free, arguments=arguments)
    with pytest.raises(LlamaError, match="the arguments of the call of 'f' are not valid"):
        checked(*calls, *free, CallPiece(2, "z", "f"), CallPiece(2, arguments='{"a": 2}'), arguments=arguments)


def test_calls_in_place_of_the_promised_document_are_no_violation_of_it():
    checked(CallPiece(0, "x", "g", "{}"), content=NUMBER)
