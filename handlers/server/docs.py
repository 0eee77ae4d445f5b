"""`GET /docs` and the files that the page loads: Swagger UI, from an installed package, with nothing from elsewhere.

Owns which files are served, and the page's content policy. Must not know the documents' content.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from starlette.responses import RedirectResponse, Response

from handlers.context import Call

_CARRIER = "flask_swagger_ui"  # found, never imported: importing it would load a second web framework
_OWN = Path(__file__).with_name("page")
_FILES: Mapping[str, str] = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-standalone-preset.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "setup.js": "text/javascript",
}
_PREFIX = "/docs/"
# Swagger UI puts styles into its elements, so inline styles are allowed; scripts and requests are this server's alone.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _File(NamedTuple):
    content: bytes
    tag: str


async def docs(call: Call[None]) -> Response:
    """The documentation page."""
    headers = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    return Response(_read("index.html").content, headers=headers, media_type="text/html")


def page_file(path: str, known_tag: str) -> Response | None:
    """The answer to a request for one of the page's files; None for any other path. `known_tag` is what the browser has."""
    if path == _PREFIX:
        return RedirectResponse(_PREFIX.rstrip("/"), 308)
    name = path.removeprefix(_PREFIX)
    if not path.startswith(_PREFIX) or name not in _FILES:
        return None
    file = _read(name)
    headers = {"etag": file.tag, "cache-control": "no-cache", "x-content-type-options": "nosniff"}
    if known_tag == file.tag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=_FILES[name])


@cache
def _read(name: str) -> _File:
    own = _OWN / name
    content = (own if own.exists() else _carried(name)).read_bytes()
    return _File(content, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


def _carried(name: str) -> Path:
    spec = find_spec(_CARRIER)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{_CARRIER}, which carries Swagger UI, is not installed")
    return Path(spec.origin).with_name("dist") / name
