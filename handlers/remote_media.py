"""Fetches pictures that requests name by their addresses, where the operator allows the host, and only from the public internet.

Owns the dialling: a name is looked up once, every address it has is judged, and the connection goes to what was judged, so that no name
can stand for another machine between the two; the same again for every redirection. Must not know what is fetched.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

import httpcore

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ANY_HOST = "*"
_MOST_REDIRECTIONS = 3
_REDIRECTIONS = (301, 302, 303, 307, 308)
# An IPv4 address inside one of IPv6 is reached through a gateway, wherever the outer one points.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HEADERS: Mapping[bytes | str, bytes | str] = {
    "Accept": "image/*",
    "Accept-Encoding": "identity",
    "User-Agent": "trueline",
}


class FetchRefused(Exception):
    """It is not fetched; the text says why, for whoever asked."""


class FetchRules(NamedTuple):
    """`hosts`: from which to fetch, `*` for all; at most so many bytes, within so many seconds in all."""

    hosts: tuple[str, ...]
    most_bytes: int
    timeout_seconds: float


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, and what it wraps too: no private, loopback, link-local or reserved one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None and not is_public(inner):
            return False
    return address.is_global and not address.is_multicast


async def fetch(url: str, rules: FetchRules, judge: Callable[[Address], bool] = is_public) -> bytes:
    """What lies at an http(s) URL. Raises FetchRefused. `judge`: which addresses may be dialled."""
    try:
        async with (
            asyncio.timeout(rules.timeout_seconds),
            httpcore.AsyncConnectionPool(network_backend=_JudgedDialling(judge), max_connections=1) as pool,
        ):
            url = _in_ascii(url.encode("utf-8", "surrogatepass"))
            for _ in range(_MOST_REDIRECTIONS + 1):
                found = await _get(pool, url, rules)
                if isinstance(found, bytes):
                    return found
                url = found
            raise FetchRefused(f"it was redirected more than {_MOST_REDIRECTIONS} times")
    except TimeoutError:
        raise FetchRefused(f"it took more than {rules.timeout_seconds:g} seconds") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
        raise FetchRefused(f"it can't be fetched: {type(error).__name__}") from error


async def _get(pool: httpcore.AsyncConnectionPool, url: str, rules: FetchRules) -> bytes | str:
    """The content, or the address that it is redirected to."""
    _check_host(url, rules.hosts)
    async with pool.stream("GET", url, headers=_HEADERS) as response:
        headers = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTIONS and b"location" in headers:
            return urljoin(url, _in_ascii(headers[b"location"]))
        if response.status != 200:
            raise FetchRefused(f"its server answered {response.status}")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise FetchRefused("its server sent it compressed, which was not asked for")
        return await _content(response, rules.most_bytes)


async def _content(response: httpcore.Response, most_bytes: int) -> bytes:
    content = bytearray()
    async for block in response.aiter_stream():
        content += block
        if len(content) > most_bytes:
            raise FetchRefused(f"it is larger than {most_bytes} bytes")
    return bytes(content)


def _in_ascii(url: bytes) -> str:
    """The address as a request may write it: what people copy from a browser's window may have other characters in its path."""
    return quote(url, safe=string.punctuation)


def _check_host(url: str, hosts: tuple[str, ...]) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise FetchRefused("its address is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise FetchRefused("its address is not an http(s) URL with a host")
    if ANY_HOST not in hosts and host.lower() not in {allowed.lower() for allowed in hosts}:
        raise FetchRefused(f"this server does not fetch from {host}")


class _JudgedDialling(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were judged, never to names."""

    def __init__(self, judge: Callable[[Address], bool]) -> None:
        self._judge = judge
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the name up, judge all its addresses, dial the first."""
        addresses = await _addresses(host, port)
        refused = next((address for address in addresses if not self._judge(address)), None)
        if refused is not None or not addresses:
            raise FetchRefused(f"{host} is not on the public internet")
        return await self._backend.connect_tcp(str(addresses[0]), port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def _addresses(host: str, port: int) -> list[Address]:
    try:
        return [ipaddress.ip_address(host)]
    except ValueError:
        pass
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FetchRefused(f"{host} has no address") from None
    return [ipaddress.ip_address(str(place[0]).partition("%")[0]) for _, _, _, _, place in found]
