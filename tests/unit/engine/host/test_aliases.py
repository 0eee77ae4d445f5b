"""Every name that a model can be asked for by, and what it stands for."""

import pytest

from engine.config import Alias, EngineConfig, LoadParams, LoraFile, Steering
from engine.errors import CatalogError
from engine.host.aliases import Aliases
from engine.host.catalog import Catalog
from engine.request import LoraScale
from tests.gguf_bytes import write_model


@pytest.fixture
def aliases(tmp_path):
    """Two models, a and b; a is loaded with the adapters red (on) and blue (off)."""
    for name in ("a", "b"):
        write_model(tmp_path / f"{name}.gguf")
    for name in ("red", "blue"):
        (tmp_path / f"{name}.lora").write_bytes(b"")

    def build(load=None, /, **named):
        lora = tuple(
            LoraFile(name=name, path=str(tmp_path / f"{name}.lora"), scale=scale)
            for name, scale in (("red", 0.5), ("blue", 0))
        )
        catalog = Catalog(((None, tmp_path),))
        catalog.scan()
        own = {"a": LoadParams(lora=lora)}
        config = EngineConfig(models=(), own_loads=own, aliases=named, load=load or LoadParams())
        return Aliases(catalog, config)

    return build


def meaning(named):
    return named and (named.shown.name, named.entry.name, named.lora)


def test_a_models_own_name_wants_no_adapters_of_its_own(aliases):
    assert meaning(aliases().find("a")) == ("a", "a", None)
    assert meaning(aliases().find("a:latest")) == ("a", "a", None)


def test_each_adapter_makes_a_name_of_its_own(aliases):
    every = aliases()
    assert [entry.name for entry in every.models()] == ["a", "a:blue", "a:red", "b"]
    assert meaning(every.find("a:red")) == ("a:red", "a", (LoraScale(adapter="red", scale=0.5),))
    assert meaning(every.find("a:blue")) == ("a:blue", "a", (LoraScale(adapter="blue", scale=1),))
    assert every.find("b:red") is every.find("c") is every.find(":red") is None


def test_an_alias_is_another_name_for_a_model_or_its_adapter_or_several_with_scales(aliases):
    every = aliases(
        plain=Alias(model="b"), hot=Alias(model="a:red"), mixed=Alias(model="a", lora={"red": 0.25, "blue": 0.75})
    )
    every.check()
    assert meaning(every.find("plain")) == ("plain", "b", None)
    assert meaning(every.find("plain:latest")) == ("plain", "b", None)
    assert meaning(every.find("hot")) == ("hot", "a", (LoraScale(adapter="red", scale=0.5),))
    assert meaning(every.find("mixed"))[2] == (
        LoraScale(adapter="red", scale=0.25),
        LoraScale(adapter="blue", scale=0.75),
    )
    assert [entry.name for entry in every.models()] == ["a", "a:blue", "a:red", "b", "hot", "mixed", "plain"]


@pytest.mark.parametrize(
    ("name", "alias", "words"),
    [
        ("a", Alias(model="b"), "the alias 'a' is the name of a model already"),
        ("x", Alias(model="c"), "is for 'c', which is no model here"),
        ("x", Alias(model="x"), "is for 'x', which is no model here"),
        ("x", Alias(model="b", lora={"red": 1}), "wants the adapter 'red', which 'b' has not"),
    ],
)
def test_an_alias_that_stands_for_nothing_is_refused_at_start(aliases, name, alias, words):
    with pytest.raises(CatalogError, match=words):
        aliases(**{name: alias}).check()


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (LoadParams(lora=(LoraFile(name="x", path="/nowhere"),)), "the LoRA adapter 'x' is not there: /nowhere"),
        (LoadParams(steering=Steering(vectors=(("/nowhere", 1.0),))), "a control vector is not there: /nowhere"),
    ],
)
def test_a_file_that_is_not_there_is_refused_at_start(aliases, load, words):
    with pytest.raises(CatalogError, match=words):
        aliases(load).check()
