"""Bad input never costs more than its own request: each gets a clear error, and the server goes on answering."""

import json
import socket
import time

import httpx
import pytest

from tests.live.clients import ask

POST_PATHS = {
    "/v1/chat/completions": {"messages": ask("Hello!"), "max_completion_tokens": 3},
    "/v1/completions": {"prompt": "Hello", "max_tokens": 3},
    "/v1/embeddings": {"input": "Hello"},
    "/v1/tokenize": {"text": "Hello"},
    "/api/chat": {"messages": ask("Hello!"), "stream": False, "options": {"num_predict": 3}},
    "/api/generate": {"prompt": "Hello", "stream": False, "options": {"num_predict": 3}},
    "/api/embed": {"input": "Hello"},
}
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture(autouse=True)
def still_alive(server, http, model):
    """After every case the same process answers, and its worker is the one it was."""
    http.post("/v1/completions", json={"model": model, "prompt": "1", "max_tokens": 1}).raise_for_status()
    workers = {worker.pid for worker in server.workers()}
    yield
    http.post("/v1/completions", json={"model": model, "prompt": "1", "max_tokens": 1}).raise_for_status()
    assert {worker.pid for worker in server.workers()} == workers


def message_of(response):
    """The error's message; the body has the shape of the API that was asked."""
    error = response.json()["error"]
    if response.request.url.path.startswith("/api"):
        assert isinstance(error, str)
        return error
    assert set(error) == {"message", "type", "param", "code"}
    return error["message"]


@pytest.mark.parametrize("path", POST_PATHS)
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b'{"model": "x",}', id="trailing comma"),
        pytest.param(b"{'model': 'x'}", id="single quotes"),
        pytest.param(b'{"model": "\xff\xfe"}', id="not UTF-8"),
        pytest.param('{"model": "x"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"[" * 100_000, id="deep nesting, unclosed"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="deep nesting"),
        pytest.param(b'{"a":' * 5_000 + b"1" + b"}" * 5_000, id="deep objects"),
        pytest.param(b'{"model": NaN}', id="NaN"),
        pytest.param(b'{"model": Infinity}', id="Infinity"),
        pytest.param(b'{"model": 1e400}', id="a number beyond a double"),
        pytest.param(b'{"model": ' + b"9" * 10_000 + b"}", id="ten thousand digits"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"null", id="null"),
        pytest.param(b"\x00" * 100, id="null bytes"),
        pytest.param(b"{}", id="no fields"),
    ],
)
def test_a_body_that_is_not_a_request_is_400(path, body, http):
    response = http.post(path, content=body, headers=JSON_TYPE)
    assert response.status_code == 400, response.text
    assert len(message_of(response)) < 1_000


@pytest.mark.parametrize("path", POST_PATHS)
@pytest.mark.parametrize(
    "name", [7, None, "", [], {}, True, "\x00", "../../etc/passwd", "x" * 100_000], ids=lambda name: repr(name)[:20]
)
def test_a_model_that_is_no_model_is_a_client_error(path, name, http):
    response = http.post(path, json=POST_PATHS[path] | {"model": name})
    assert response.status_code in {400, 404}, response.text
    assert len(message_of(response)) < 3_000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", -1),
        ("temperature", "hot"),
        ("temperature", 1e300),
        ("top_p", 2),
        ("n", 0),
        ("n", 10**30),
        ("n", 1.5),
        ("max_completion_tokens", -1),
        ("max_completion_tokens", "many"),
        ("seed", 10**40),
        ("stop", ["a"] * 100),
        ("stop", [1]),
        ("logit_bias", {"not a token": 1}),
        ("logit_bias", {"1": 1000}),
        ("logit_bias", {"999999999": 1}),
        ("top_logprobs", 3),
        ("top_logprobs", 1000),
        ("messages", []),
        ("messages", "Hello"),
        ("messages", [{}]),
        ("messages", [{"role": "wizard", "content": "Hello"}]),
        ("messages", [{"role": "user"}]),
        ("messages", [{"role": "user", "content": 7}]),
        ("messages", [{"role": "user", "content": [{"type": "text"}]}]),
        ("messages", [{"role": "user", "content": [{"type": "smell", "smell": "x"}]}]),
        ("messages", [{"role": "tool", "content": "x"}]),
        ("tools", [{"type": "function"}]),
        ("tool_choice", {"type": "function", "function": {"name": "unknown"}}),
        ("response_format", {"type": "xml"}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nothing"}}}),
        ("response_format", {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/nowhere"}}}),
        ("stream", "yes"),
        ("stream_options", {"include_usage": True}),
    ],
)
def test_a_bad_chat_field_is_refused_by_name(field, value, http, model):
    body = {"model": model, "max_completion_tokens": 3, "messages": ask("Hello!")}
    response = http.post("/v1/chat/completions", content=json.dumps(body | {field: value}), headers=JSON_TYPE)
    assert response.status_code == 400, response.text
    assert (response.json()["error"]["param"] or "").startswith(field)
    assert message_of(response)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", [{"role": "wizard", "content": "Hello"}]),
        ("messages", "Hello"),
        ("options", {"temperature": "hot"}),
        ("options", {"num_predict": "many"}),
        ("options", []),
        ("keep_alive", "soon"),
        ("format", "xml"),
        ("think", "a lot"),
        ("stream", "yes"),
    ],
)
def test_a_bad_ollama_field_is_refused_by_name(field, value, http, model):
    response = http.post(
        "/api/chat", json={"model": model, "messages": ask("Hello!"), "stream": False} | {field: value}
    )
    assert response.status_code == 400, response.text
    assert field in message_of(response)


@pytest.mark.parametrize(
    "text",
    ["", "\x00", "a\x00b", "\u202e\ufeff\ud7ff", "🦙" * 50, "\r\n\t\v", "<|im_start|>", "{{ 7 * 7 }}"],
    ids=lambda text: ascii(text)[:20],
)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/chat"])
def test_odd_text_in_a_message_is_answered(path, text, http, model):
    response = http.post(path, json=POST_PATHS[path] | {"model": model, "messages": ask(text)})
    assert response.status_code == 200, response.text


def test_a_lone_surrogate_is_400_or_answered_but_never_an_internal_error(http, model):
    body = (
        b'{"model": "%s", "max_completion_tokens": 2, "messages": [{"role": "user", "content": "\\ud800"}]}'
        % model.encode()
    )
    assert http.post("/v1/chat/completions", content=body, headers=JSON_TYPE).status_code in {200, 400}


def test_a_chat_of_ten_thousand_messages_is_refused_for_its_length(http, model):
    messages = [{"role": ("user", "assistant")[i % 2], "content": "Hello, how are you?"} for i in range(9_999)]
    response = http.post("/v1/chat/completions", json={"model": model, "messages": messages})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "context_length_exceeded"


def test_a_chat_of_ten_thousand_messages_is_cut_on_ollamas_api(http, model):
    messages = [{"role": ("user", "assistant")[i % 2], "content": "Hello, how are you?"} for i in range(9_999)]
    response = http.post(
        "/api/chat", json={"model": model, "messages": messages, "stream": False, "options": {"num_predict": 2}}
    )
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/chat"])
def test_a_wrong_media_type_is_415(path, http):
    response = http.post(path, content=b"<model/>", headers={"Content-Type": "application/xml"})
    assert response.status_code == (415 if path.startswith("/v1") else response.status_code)
    assert 400 <= response.status_code < 500


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/chat/completions", {"POST"}), ("/api/chat", {"POST"}), ("/v1/models", {"GET"})]
)
def test_a_wrong_method_is_405_with_the_full_allow_list(path, allowed, http):
    response = http.delete(path)
    assert response.status_code == 405
    assert allowed <= {method.strip() for method in response.headers["allow"].split(",")}
    assert message_of(response)


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/api/nothing", "/nothing", "/v1", "/v1/models/", "/%00", "/v1/../../etc/passwd"]
)
def test_an_unknown_path_is_404(path, http):
    response = http.get(path)
    assert response.status_code == 404
    assert message_of(response)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(chunked, server):
    piece, pieces = b" " * 1_000_000, 200
    content = (piece for _ in range(pieces)) if chunked else piece * pieces
    with httpx.Client(base_url=server.url, timeout=30) as client:
        try:
            response = client.post("/v1/chat/completions", content=content, headers=JSON_TYPE)
        except httpx.WriteError:
            return  # the answer came, and the connection was closed, before the body was through
    assert response.status_code == 413
    assert message_of(response)


def test_a_chunked_body_is_read_like_any_other(http, model):
    body = json.dumps(POST_PATHS["/v1/completions"] | {"model": model}).encode()
    pieces = (body[i : i + 7] for i in range(0, len(body), 7))
    assert http.post("/v1/completions", content=pieces, headers=JSON_TYPE).status_code == 200


def test_unknown_keys_are_accepted_and_named_in_a_header(http, model):
    body = POST_PATHS["/v1/chat/completions"] | {"model": model, "frobnicate": 1}
    response = http.post("/v1/chat/completions", json=body)
    assert response.status_code == 200
    assert "frobnicate" in response.headers["x-ignored-params"]


class TestRawConnections:
    """What only a hand-made connection can do."""

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="a TLS greeting"),
            pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="an unknown version"),
            pytest.param(b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="an endless path"),
            pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n", id="an endless header"),
            pytest.param(
                b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                id="a negative content length",
            ),
            pytest.param(
                b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                id="a chunk of no length",
            ),
        ],
    )
    def test_bytes_that_are_not_http_are_refused_or_cut(self, data, server):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                answer = connection.recv(65536)
            except OSError:
                return  # cut before all was sent, or before it was read
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:200]

    def test_clients_that_never_finish_their_request_hold_up_nobody(self, server, http, model):
        head = b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(50)]
        try:
            for connection in held:
                connection.sendall(head)
            started = time.monotonic()
            http.post("/v1/completions", json={"model": model, "prompt": "1", "max_tokens": 1}).raise_for_status()
            assert time.monotonic() - started < 5
        finally:
            for connection in held:
                connection.close()

    def test_a_client_that_never_reads_holds_up_nobody_and_costs_bounded_memory(self, server, http, model):
        body = json.dumps(
            {"model": model, "prompt": "1", "stream": True, "max_tokens": 400, "ignore_eos": True}
        ).encode()
        head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            deaf.connect(("127.0.0.1", server.port))
            deaf.sendall(head.encode() + body)
            started = time.monotonic()
            http.post("/v1/completions", json={"model": model, "prompt": "2", "max_tokens": 5}).raise_for_status()
            assert time.monotonic() - started < 10
