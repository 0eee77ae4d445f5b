"""The catalogue as OpenAI's clients see it."""

from handlers.wire.openai import models as wire
from tests.unit.handlers.wire.scripted import conforming, entry


def test_a_model_is_dated_by_its_file() -> None:
    model = conforming(wire.render(entry("org/demo:q8")), "openai", "Model")
    assert model == {"id": "org/demo:q8", "object": "model", "created": 1_763_000_000, "owned_by": "trueline"}


def test_the_list_keeps_the_order() -> None:
    listed = conforming(wire.render_list([entry("a"), entry("b")]), "openai", "ListModelsResponse")
    assert [model["id"] for model in listed["data"]] == ["a", "b"]
