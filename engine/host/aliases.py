"""What else a model may be called: the operator's aliases, and `MODEL:ADAPTER` for each LoRA adapter that is loaded with a model.

Owns the way from such a name to a model and the adapters that it stands for. Must not know requests' other fields.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from engine.config import EngineConfig, LoadParams, LoraFile
from engine.errors import CatalogError
from engine.host.catalog import Catalog, ModelEntry
from engine.request import LoraScale

_DEFAULT_SCALE = 1.0


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for: a model, and the adapters to compute with; None: each at its own scale. `name`: without `:latest`."""

    name: str
    entry: ModelEntry
    lora: tuple[LoraScale, ...] | None = None

    @property
    def shown(self) -> ModelEntry:
        """The model under this name."""
        return self.entry if self.name == self.entry.name else replace(self.entry, name=self.name)


class Aliases:
    """Every name of a catalogue's models. A model's own name wins over an alias."""

    def __init__(self, catalog: Catalog, config: EngineConfig) -> None:
        self._catalog = catalog
        self._config = config

    def find(self, name: str) -> Named | None:
        """What the name stands for now; None where it is nothing's."""
        entry = self._catalog.find(name)
        if entry is not None:
            return Named(entry.name, entry)
        return self._alias(name) or self._alias(name.removesuffix(":latest"))

    def models(self) -> list[ModelEntry]:
        """All models under all their names, by name."""
        found = {entry.name: entry for entry in self._catalog.models()}
        for name in [*self._config.aliases, *self._adapter_names(list(found))]:
            named = self.find(name)
            if named is not None:
                found.setdefault(named.name, named.shown)
        return [found[name] for name in sorted(found)]

    def check(self) -> None:
        """Raise CatalogError for an alias that cannot stand for what it says, or an adapter's file that is not there."""
        for load in (self._config.load, *self._config.own_loads.values()):
            _check_files(load)
        for name, alias in self._config.aliases.items():
            if self._catalog.find(name) is not None:
                raise CatalogError(f"the alias {name!r} is the name of a model already")
            target = self._target(alias.model)
            if target is None:
                raise CatalogError(f"the alias {name!r} is for {alias.model!r}, which is no model here")
            known = {file.name for file in self._adapters(target.entry)}
            unknown = next((adapter for adapter in alias.lora or () if adapter not in known), None)
            if unknown is not None:
                raise CatalogError(f"the alias {name!r} wants the adapter {unknown!r}, which {alias.model!r} has not")

    def _alias(self, name: str) -> Named | None:
        alias = self._config.aliases.get(name)
        if alias is None:
            return self._adapted(name)
        target = self._target(alias.model)
        if target is None or alias.lora is None:
            return target and replace(target, name=name)
        lora = tuple(LoraScale(adapter=adapter, scale=scale) for adapter, scale in alias.lora.items())
        return Named(name, target.entry, lora)

    def _target(self, model: str) -> Named | None:
        """What an alias is for: a model, alone or with an adapter, but no other alias."""
        entry = self._catalog.find(model)
        return Named(model, entry) if entry is not None else self._adapted(model)

    def _adapted(self, name: str) -> Named | None:
        """`MODEL:ADAPTER`: the model with this adapter alone, at its own scale, or at 1 where it is off by default."""
        model, colon, adapter = name.rpartition(":")
        entry = self._catalog.find(model) if colon else None
        file = next((file for file in self._adapters(entry) if file.name == adapter), None) if entry else None
        if entry is None or file is None:
            return None
        return Named(name, entry, (LoraScale(adapter=adapter, scale=file.scale or _DEFAULT_SCALE),))

    def _adapters(self, entry: ModelEntry) -> tuple[LoraFile, ...]:
        return self._config.load_of(entry.name).lora

    def _adapter_names(self, models: list[str]) -> Iterator[str]:
        for model in models:
            for file in self._config.load_of(model).lora:
                yield f"{model}:{file.name}"


def _check_files(load: LoadParams) -> None:
    for file in load.lora:
        if not Path(file.path).is_file():
            raise CatalogError(f"the LoRA adapter {file.name!r} is not there: {file.path} is no file")
    for path, _ in load.steering.vectors:
        if not Path(path).is_file():
            raise CatalogError(f"a control vector is not there: {path} is no file")
