"""A model hub on loopback that speaks what downloads need: descriptions of repositories, and their files in ranges.

It lies the way hubs are slow or broken: a file's connection may end in the middle, a repository may be gated, content may be another.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Held:
    """A repository. `cut`: how many bytes of a file one connection gives; `is_held`: that it is then held open until `release`;
    `announced`: what it says that a file is; `token`: what one has to have; `is_elsewhere`: that another host has its files, which
    refuses who comes with a token."""

    files: dict[str, bytes]
    gguf: dict[str, Any] | None = None
    cut: dict[str, int] = field(default_factory=dict)
    announced: dict[str, bytes] = field(default_factory=dict)
    token: str | None = None
    is_gated: bool = False
    is_held: bool = False
    is_elsewhere: bool = False
    release: threading.Event = field(default_factory=threading.Event)


class Hub(ThreadingHTTPServer):
    """`asked`: each request with its Range; `sizes`: what it says that files of these paths have."""

    def __init__(self, repositories: dict[str, Held]) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.repositories = repositories
        self.asked: list[tuple[str, str | None]] = []
        self.sizes: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetches(self) -> list[tuple[str, str | None]]:
        """The files that were asked for, with their ranges."""
        return [(path.rpartition("/")[2], wanted) for path, wanted in self.asked if "/resolve/" in path]


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append((url.path, self.headers.get("Range")))
        steps = [unquote(step) for step in url.path.split("/")[1:]]
        if steps[:2] == ["api", "models"]:
            self._describe("/".join(steps[2:4]), steps[5] if len(steps) > 5 else None, parse_qs(url.query))
        else:
            self._give("/".join(steps[:2]), "/".join(steps[4:]))

    def _describe(self, name: str, revision: str | None, query: dict[str, list[str]]) -> None:
        held = self._held(name)
        if held is None:
            return
        if revision not in (None, COMMIT, "main"):
            self._refuse(404, "RevisionNotFound")
        elif "expand" in query:
            self._answer(200, json.dumps({"id": name, "_id": "1", "gguf": held.gguf}).encode())
        else:
            siblings = [
                _sibling(path, held.announced.get(path, content), self.server.sizes.get(path))
                for path, content in held.files.items()
            ]
            self._answer(200, json.dumps({"id": name, "_id": "1", "sha": COMMIT, "siblings": siblings}).encode())

    def _give(self, name: str, path: str) -> None:
        held = self._held(name)
        if held is None:
            return
        if held.is_elsewhere and self.headers["Host"].startswith("127."):
            self._answer(302, b"", {"Location": f"http://localhost:{self.server.server_port}{self.path}"})
            return
        content = held.files[path]
        wanted = self.headers.get("Range")
        begin = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        left = content[begin:]
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(left)))
        self.end_headers()
        cut = held.cut.get(path)
        self.wfile.write(left[:cut])
        self.close_connection = cut is not None and cut < len(left)
        if self.close_connection and held.is_held:
            self.wfile.flush()
            held.release.wait(60)

    def _held(self, name: str) -> Held | None:
        held = self.server.repositories.get(name)
        if held is None:
            self._refuse(401 if self.headers.get("Authorization") is None else 404, "RepoNotFound")
            return None
        if held.is_elsewhere and self.headers["Host"].startswith("localhost"):
            if self.headers.get("Authorization") is None:
                return held
            self._refuse(400, "")
            return None
        if held.token and self.headers.get("Authorization") != f"Bearer {held.token}":
            self._refuse(403, "GatedRepo" if held.is_gated else "")
            return None
        return held

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, b'{"error": "no"}', {"X-Error-Code": code} if code else {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _sibling(path: str, content: bytes, size_bytes: int | None) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    size_bytes = len(content) if size_bytes is None else size_bytes
    lfs = {"size": size_bytes, "sha256": digest, "pointerSize": 100}
    return {"rfilename": path, "size": size_bytes, "blobId": digest[:40], "lfs": lfs}


@contextmanager
def hub(repositories: dict[str, Held]) -> Iterator[Hub]:
    """A hub that holds these repositories."""
    with Hub(repositories) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            for held in repositories.values():
                held.release.set()
            served.shutdown()
            thread.join()
