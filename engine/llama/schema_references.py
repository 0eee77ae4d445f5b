"""Owns what the references of a JSON Schema lead to: paths, anchors, and names by `$id`. Must not know what stands at their ends.

Rules of JSON Schema 2020-12 core 8.2 and 9.1: a name is resolved against the nearest `$id` above. Those of older drafts beside them: there
`$id` (in the oldest `id`) may be `#name`, which is an anchor.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin

JsonObject = dict[str, Any]

_OLDEST = re.compile(r"draft-0[34]")
_ANCHORS = ("$anchor", "$dynamicAnchor")


class References:
    """The references of one schema."""

    def __init__(self, root: JsonObject) -> None:
        self._id = "id" if _OLDEST.search(str(root.get("$schema"))) else "$id"
        self._bases: dict[int, str] = {}
        self._places: dict[str, JsonObject] = {"": root}
        for item, base in self._with_bases(root):
            self._bases[id(item)] = base
            for anchor in (item.get(name) for name in _ANCHORS):
                if isinstance(anchor, str):
                    self._places.setdefault(f"{base}#{anchor}", item)

    def name(self, schema: JsonObject) -> str:
        """In full, what a schema that is part of this one refers to: the same for the same place. Empty where it refers to nothing."""
        reference = schema.get("$ref")
        return self._joined(self._bases.get(id(schema), ""), reference) if isinstance(reference, str) else ""

    def target(self, schema: JsonObject) -> Any:
        """What its `$ref` leads to; None where that is nowhere."""
        address, _, fragment = self.name(schema).partition("#")
        if fragment and not fragment.startswith("/"):
            return self._places.get(f"{address}#{unquote(fragment)}")
        return _followed(fragment, self._places.get(address))

    def _with_bases(self, root: JsonObject) -> Iterator[tuple[JsonObject, str]]:
        """Every object with the address that its references start from."""
        unread: list[tuple[Any, str]] = [(root, "")]
        while unread:
            item, base = unread.pop()
            if isinstance(item, dict):
                base = self._noted(item, base)
                yield item, base
                unread += ((value, base) for value in item.values())
            elif isinstance(item, list):
                unread += ((value, base) for value in item)

    def _noted(self, item: JsonObject, base: str) -> str:
        name = item.get(self._id)
        if not isinstance(name, str):
            return base
        full = self._joined(base, name)
        self._places.setdefault(full.removesuffix("#"), item)
        return full.partition("#")[0]

    @staticmethod
    def _joined(base: str, reference: str) -> str:
        """`urljoin` knows no fragments of names such as `urn:`."""
        try:
            return base + reference if reference.startswith("#") else urljoin(base, reference)
        except ValueError:  # it is no address
            return reference


def _followed(path: str, target: Any) -> Any:
    for step in path.split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and name.isdecimal() and int(name) < len(target):
            target = target[int(name)]
        else:
            target = target.get(name) if isinstance(target, dict) else None
    return target
