"""The real templates of many families, which `make test-families` fetches; FAMILY_TEMPLATES names their folder."""

import os
from pathlib import Path

import pytest

FOLDER = os.environ.get("FAMILY_TEMPLATES")
TEMPLATES = sorted(Path(FOLDER).glob("*.jinja")) if FOLDER else []

needs_templates = pytest.mark.skipif(
    not TEMPLATES, reason="the families' real templates are fetched by `make test-families` (FAMILY_TEMPLATES=FOLDER)"
)
each_template = pytest.mark.parametrize("path", TEMPLATES or [Path("none")], ids=lambda path: path.stem)
