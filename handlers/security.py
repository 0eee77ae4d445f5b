"""Who may ask: API keys for the two APIs, and on loopback a guard against web pages that ask in their visitor's name.

Owns the keys and the check of hosts and origins. Must not know operations.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from handlers.config import ConfigError, ServerConfig
from handlers.context import record_of
from handlers.errors import ApiError

_METRICS = "/metrics"
_GUARDED = ("/v1", "/api", _METRICS)
_LOCAL_SUFFIXES = (".localhost", ".local", ".internal")
_NOWHERE = "nowhere.invalid"  # RFC 2606: a name that never exists
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="trueline"'}


class ApiKeys:
    """The keys that open the APIs, kept as digests only. None at all: the APIs are open."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = tuple(_digest(key) for key in keys)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def hold(self, key: str) -> bool:
        """Whether `key` is one of them. Takes equally long whichever it is, if any."""
        digest = _digest(key)
        return any([hmac.compare_digest(digest, known) for known in self._digests])  # noqa: C419 - all, for equal time


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def read_keys(config: ServerConfig) -> ApiKeys:
    """The keys of the key file and of the environment. Raises ConfigError where the file cannot be used."""
    keys = config.api_keys.get_secret_value().split(",") if config.api_keys else []
    if config.api_key_file is not None:
        keys += _keys_in(config.api_key_file)
    return ApiKeys(key.strip() for key in keys if key.strip())


def _keys_in(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"cannot read the API key file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the API key file {path} is not UTF-8 text") from None
    keys = [line.partition("#")[0].strip() for line in lines]
    if not any(keys):
        raise ConfigError(f"the API key file {path} holds no key")
    return keys


def require_guard(config: ServerConfig, keys: ApiKeys) -> None:
    """Raises ConfigError where the server would be open to other machines although nobody said that it may."""
    if not keys and not config.allow_open and not is_loopback(config.host):
        raise ConfigError(
            f"refusing to listen on {config.host} without an API key: name a key file with --api-key-file, "
            "or pass --allow-open to serve anyone who can reach it"
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


class Guard:
    """Lets a request pass that has a key, or needs none, and that no foreign web page sent."""

    def __init__(self, app: ASGIApp, config: ServerConfig, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys
        self._open_paths = frozenset({_METRICS}) if config.open_metrics else frozenset[str]()
        self._wary = not keys and is_loopback(config.host)
        self._hosts = frozenset(host.lower() for host in config.allowed_host)
        self._origins = frozenset(config.cors_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or raise what refuses it."""
        if scope["type"] == "http":
            if self._keys:
                self._require_key(scope)
            elif self._wary:
                self._require_local(dict(scope["headers"]))
        await self._app(scope, receive, send)

    def _require_key(self, scope: Scope) -> None:
        if not is_guarded(scope["path"]) or scope["path"] in self._open_paths:
            return
        scheme, _, key = dict(scope["headers"]).get(b"authorization", b"").decode("utf-8", "replace").partition(" ")
        if scheme.lower() != "bearer" or not self._keys.hold(key.strip()):
            message = "The API key is missing or unknown: send it as `Authorization: Bearer KEY`."
            raise ApiError(401, message, code="invalid_api_key", headers=_CHALLENGE)
        record_of(scope).tenant = _digest(key.strip()).hex()

    def _require_local(self, headers: Mapping[bytes, bytes]) -> None:
        """Without keys, being on this machine is what admits: a page from elsewhere in a browser here must not pass for it."""
        host = _name(headers.get(b"host", b"").decode("latin-1"))
        if host not in self._hosts and not _is_local(host):
            message = f"The host name {host[:100]!r} is not served; --allowed-host adds it."
            raise ApiError(403, message, code="host_not_allowed")
        origin = headers.get(b"origin", b"").decode("latin-1")
        if origin and not {origin, "*"} & self._origins and not is_local_page(origin) and _origin_name(origin) != host:
            raise origin_refusal(origin)


def is_local_page(origin: str) -> bool:
    """Whether a page of this origin comes from this machine."""
    return is_loopback(_origin_name(origin))


def origin_refusal(origin: str) -> ApiError:
    """What a page from elsewhere is told."""
    message = f"Pages of {origin[:100]!r} may not call this server; --cors-origin adds them."
    return ApiError(403, message, code="origin_not_allowed")


def _origin_name(origin: str) -> str:
    return _name(origin.partition("://")[2] or _NOWHERE)


def is_guarded(path: str) -> bool:
    """Whether a key is needed where there are keys: everything of the two APIs, existing or not, and the metrics."""
    return any(path == prefix or path.startswith(prefix + "/") for prefix in _GUARDED)


@lru_cache(maxsize=64)
def _is_local(host: str) -> bool:
    """Names that a public name server cannot point here: addresses, single words and local domains."""
    return "." not in host or host.endswith(_LOCAL_SUFFIXES) or _is_address(host)


@lru_cache(maxsize=64)
def _name(host_header: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host_header}").hostname or ""
    except ValueError:
        return _NOWHERE


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
