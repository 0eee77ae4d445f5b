"""Our documents against the published ones, where these are at hand: nothing differs that coverage.yaml does not explain."""

from pathlib import Path

import pytest

from tools.spec_drift import main

ROOT = Path(__file__).parents[2]
UPSTREAM = ROOT.parent / "shared" / "upstream"


@pytest.mark.skipif(not UPSTREAM.is_dir(), reason="the published documents are not on this machine")
@pytest.mark.parametrize("name", ["openai", "ollama"])
def test_nothing_differs_unexplained(name, capsys):
    """Operations, parameters, bodies, responses and events are as published, or coverage.yaml says why not."""
    code = main([str(UPSTREAM / f"{name}.openapi.yaml"), str(ROOT / "openapi" / f"{name}.yaml")])
    assert (capsys.readouterr().out, code) == ("", 0)
