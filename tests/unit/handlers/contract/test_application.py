"""The contract's start: documents and functions agree, or the server does not start."""

import pytest

import openapi
from handlers.config import ServerConfig
from handlers.contract.application import contract_application, served_documents
from handlers.contract.binding import FUNCTIONS, BindingError
from tests.unit.handlers.scripted_engine import ScriptedEngine


def assembled(**changes):
    return contract_application(ScriptedEngine(), ServerConfig(), **changes)


def test_every_documented_operation_has_its_function():
    assembled()


def test_an_operation_without_a_function_fails_the_start_by_name():
    functions = {key: function for key, function in FUNCTIONS.items() if key != "ollama.ps"}
    with pytest.raises(BindingError, match=r"documented, but bound to no function: ollama\.ps"):
        assembled(functions=functions)


def test_a_function_without_an_operation_fails_the_start_by_name():
    with pytest.raises(BindingError, match=r"not documented: ollama\.nothing"):
        assembled(functions={**FUNCTIONS, "ollama.nothing": FUNCTIONS["ollama.ps"]})


def test_the_documents_are_the_packages():
    assert served_documents() == {name: openapi.document(name) for name in ("openai", "ollama", "server")}
