"""Pictures are fetched from the hosts that the operator allows, on the public internet alone, however a name or a redirection turns."""

import asyncio
import ipaddress
import socket

import pytest

from handlers.remote_media import FetchRefused, FetchRules, fetch, is_public

ANYWHERE = FetchRules(hosts=("*",), most_bytes=1000, timeout_seconds=5)


def anybody(_address):
    return True


class Origin:
    """A server on this machine that answers what it is told to, and counts its connections."""

    def __init__(self):
        self.answers = []
        self.connections = 0
        self.requests = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        await self._server.wait_closed()

    def url(self, path="/picture", host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    async def _serve(self, reader, writer):
        self.connections += 1
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answers.pop(0))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def origin():
    async with Origin() as running:
        yield running


def answer(body=b"picture", status="200 OK", **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}Connection: close\r\n\r\n".encode() + body


async def test_a_picture_is_fetched(origin):
    origin.answers = [answer()]
    assert await fetch(origin.url(), ANYWHERE, anybody) == b"picture"
    assert b"accept-encoding: identity" in origin.requests[0].lower()


async def test_an_address_with_other_letters_than_asciis_is_asked_for_in_ascii(origin):
    origin.answers = [answer(status="302 Found", Location="/ä b?q=ü"), answer()]
    assert await fetch(origin.url("/é%20\ud800"), ANYWHERE, anybody) == b"picture"
    assert origin.requests[0].startswith(b"GET /%C3%A9%20%ED%A0%80 HTTP/1.1")
    assert origin.requests[1].startswith(b"GET /%C3%A4%20b?q=%C3%BC HTTP/1.1")


@pytest.mark.parametrize("url", ["http://bücher.invalid/", "http://a b/", "http://%00/", "http://a..b/", "http://[::1"])
async def test_a_host_that_is_none_is_refused(url):
    with pytest.raises(FetchRefused, match=r"has no address|not a valid URL"):
        await fetch(url, ANYWHERE, anybody)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433"]
)
async def test_nothing_on_this_machine_is_dialled(origin, host):
    origin.answers = [answer()]
    with pytest.raises(FetchRefused, match=r"not on the public internet|has no address"):
        await fetch(origin.url(host=host), ANYWHERE)
    assert origin.connections == 0


async def test_a_redirection_to_this_machine_is_not_followed(origin):
    seen = []

    def first_only(address):
        seen.append(address)
        return len(seen) == 1

    origin.answers = [answer(status="302 Found", Location=origin.url("/secret", host="localhost"))]
    with pytest.raises(FetchRefused, match="localhost is not on the public internet"):
        await fetch(origin.url(), ANYWHERE, first_only)
    assert origin.connections == 1


async def test_what_is_dialled_is_what_was_judged(origin, monkeypatch):
    """A name that has another address by the time of the connection does not matter: it is not looked up again."""
    lookups = []
    loop = asyncio.get_running_loop()

    async def rebinding(host, port, **_):
        lookups.append(host)
        address = "127.0.0.1" if len(lookups) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    origin.answers = [answer()]
    assert await fetch(origin.url(host="rebinding.example"), ANYWHERE, anybody) == b"picture"
    assert lookups == ["rebinding.example"]
    assert b"host: rebinding.example" in origin.requests[0].lower()


async def test_one_private_address_among_several_is_enough_to_refuse(monkeypatch):
    async def both(host, port, **_):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("93.184.215.14", "10.0.0.1")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both)
    with pytest.raises(FetchRefused, match="not on the public internet"):
        await fetch("http://both.example/", ANYWHERE)


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.0.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "240.0.0.1",
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "2002:0a00:0001::", "64:ff9b::a00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_addresses_that_are_public(address):
    assert is_public(ipaddress.ip_address(address))


async def test_only_allowed_hosts_are_fetched_from(origin):
    origin.answers = [answer(status="302 Found", Location=origin.url(host="localhost"))]
    rules = ANYWHERE._replace(hosts=("127.0.0.1",))
    with pytest.raises(FetchRefused, match="does not fetch from localhost"):
        await fetch(origin.url(), rules, anybody)
    with pytest.raises(FetchRefused, match=r"does not fetch from example\.org"):
        await fetch("http://example.org/", rules, anybody)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://[::1", "http://a:b/"])
async def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(FetchRefused, match=r"not .*URL"):
        await fetch(url, ANYWHERE, anybody)


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        (answer(bytes(1001)), "larger than 1000 bytes"),
        (answer(status="404 Not Found"), "answered 404"),
        (answer(Content_Encoding="gzip"), "compressed"),
        (b"what?\r\n\r\n", "can't be fetched"),
        (b"", "can't be fetched"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "can't be fetched"),
    ],
)
async def test_an_answer_that_is_no_picture_of_a_fitting_size_is_refused(origin, reply, complaint):
    origin.answers = [reply]
    with pytest.raises(FetchRefused, match=complaint):
        await fetch(origin.url(), ANYWHERE, anybody)


async def test_redirections_have_an_end(origin):
    origin.answers = [answer(status="307 Temporary Redirect", Location="/again") for _ in range(9)]
    with pytest.raises(FetchRefused, match="redirected more than 3 times"):
        await fetch(origin.url(), ANYWHERE, anybody)
    assert origin.connections == 4


async def test_a_server_that_never_ends_is_left(origin):
    async def trickle(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FetchRefused, match=r"more than 0\.2 seconds"):
            await fetch(f"http://127.0.0.1:{port}/", ANYWHERE._replace(timeout_seconds=0.2), anybody)
