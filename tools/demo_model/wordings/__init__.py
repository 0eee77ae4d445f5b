"""Words as data: the model's world, and for each skill how people ask, one TOML file each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any


def wordings(name: str) -> dict[str, Any]:
    """The contents of `name`.toml."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text("utf-8"))
