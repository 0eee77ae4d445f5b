"""The application as a whole, on a scripted engine: what every request meets, whatever it asks for."""

import json
import logging

import pytest

from engine import EngineError
from tests.unit.handlers.scripted_engine import HELLO, ScriptedEngine, application, chat, client

CHAT = "/v1/chat/completions"


def assert_openai_error(response, status, *, code=None, param=None):
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)


class TestAnswers:
    async def test_a_chat_is_answered_whole(self):
        async with client() as http:
            response = await http.post(CHAT, json=chat())
        assert response.status_code == 200, response.text
        assert response.json()["choices"][0]["message"]["content"] == "Hello there"

    async def test_a_stream_is_events_and_ends_with_done(self):
        async with client() as http:
            response = await http.post(CHAT, json=chat(stream=True))
        assert response.headers["content-type"].startswith("text/event-stream")
        events = response.text.split("\n\n")
        assert events[-2:] == ["data: [DONE]", ""]
        assert all(event.startswith("data: {") for event in events[:-2])

    async def test_an_ollama_stream_is_lines(self):
        async with client() as http:
            response = await http.post("/api/generate", json={"model": "demo", "prompt": "Hello!"})
        lines = [json.loads(line) for line in response.text.splitlines()]
        assert [line["done"] for line in lines][-1] is True
        assert "".join(line["response"] for line in lines) == "Hello there"

    async def test_a_missing_content_type_is_json(self):
        async with client() as http:
            request = http.build_request("POST", CHAT, content=json.dumps(chat()))
            assert "content-type" not in request.headers
            assert (await http.send(request)).status_code == 200

    @pytest.mark.parametrize("name", ["openai", "ollama", "server"])
    async def test_the_documents_are_served_as_written(self, name):
        async with client() as http:
            document = (await http.get(f"/openapi/{name}.json")).json()
        assert document["openapi"].startswith("3.1")
        assert document["paths"]

    async def test_a_head_request_is_answered_where_a_get_is(self):
        async with client() as http:
            assert (await http.head("/")).status_code == 200
            assert (await http.head("/v1/models")).status_code == 200


class TestHeaders:
    async def test_every_answer_has_a_request_id_of_its_own(self):
        async with client() as http:
            ids = [(await http.get(path)).headers["x-request-id"] for path in ("/health", "/v1/models", "/nowhere")]
        assert len(set(ids)) == 3

    async def test_a_clients_own_request_id_is_kept(self):
        async with client() as http:
            response = await http.get("/health", headers={"X-Request-Id": "mine-1"})
        assert response.headers["x-request-id"] == "mine-1"

    async def test_a_request_id_that_could_forge_a_log_line_is_replaced(self):
        async with client() as http:
            response = await http.get("/health", headers={"X-Request-Id": "a b"})
        assert response.headers["x-request-id"].startswith("req_")

    @pytest.mark.parametrize(
        ("path", "timed"), [("/v1/models", True), ("/v1/nothing", True), ("/v1", True), ("/api/version", False)]
    )
    async def test_processing_time_is_told_under_v1(self, path, timed):
        async with client() as http:
            assert ("openai-processing-ms" in (await http.get(path)).headers) is timed

    async def test_unknown_keys_are_accepted_and_named_with_their_paths(self):
        body = chat(mood="good", messages=[{"role": "user", "content": "Hi", "tone": 1}])
        async with client() as http:
            response = await http.post(CHAT, json=body)
        assert response.status_code == 200
        assert set(response.headers["x-ignored-params"].split(", ")) == {"mood", "messages[0].tone"}

    async def test_a_keys_odd_characters_are_escaped_in_the_header(self):
        async with client() as http:
            response = await http.post(CHAT, json=chat(**{"a\r\nSet-Cookie: x": 1, "ü": 2}))
        assert response.headers["x-ignored-params"] == "a%0D%0ASet-Cookie:%20x, %C3%BC"

    async def test_unknown_keys_are_refused_where_the_server_is_strict(self):
        async with client(strict=True) as http:
            response = await http.post(CHAT, json=chat(mood="good"))
        assert_openai_error(response, 400, code="unknown_parameter", param="mood")


class TestRefusals:
    async def test_an_unknown_path_is_404(self):
        async with client() as http:
            assert_openai_error(await http.get("/v1/nothing"), 404, code="unknown_path")
            assert isinstance((await http.get("/api/nothing")).json()["error"], str)

    @pytest.mark.parametrize(("method", "path", "allow"), [("PUT", CHAT, "POST"), ("PUT", "/v1/models", "GET, HEAD")])
    async def test_a_wrong_method_is_405_with_every_right_one(self, method, path, allow):
        async with client() as http:
            response = await http.request(method, path)
        assert_openai_error(response, 405, code="method_not_allowed")
        assert response.headers["allow"] == allow

    async def test_a_published_operation_that_is_not_served_says_so(self):
        async with client() as http:
            created = await http.post("/v1/images/generations", json={})
            deleted = await http.delete("/v1/models/org/name:tag")
        assert_openai_error(created, 404, code="operation_not_served")
        assert "/v1/images/generations" in created.json()["error"]["message"]
        assert_openai_error(deleted, 404, code="operation_not_served")

    async def test_a_trailing_slash_is_another_path_not_a_redirect(self):
        async with client() as http:
            assert (await http.get("/health/")).status_code == 404

    async def test_a_body_over_the_limit_is_413(self):
        async with client(max_body_bytes=1024) as http:
            assert_openai_error(await http.post(CHAT, json=chat(user="x" * 2000)), 413, code="request_too_large")

    async def test_an_unsupported_parameter_is_named_with_the_reason(self):
        async with client() as http:
            response = await http.post(CHAT, json=chat(store=True))
        assert_openai_error(response, 400, code="unsupported_parameter", param="store")

    @pytest.mark.parametrize("neutral", [None, False])
    async def test_an_unsupported_parameter_passes_with_its_neutral_value(self, neutral):
        async with client() as http:
            assert (await http.post(CHAT, json=chat(store=neutral))).status_code == 200

    async def test_a_fault_in_this_program_is_500_with_nothing_internal(self, caplog):
        app = application(ScriptedEngine(refusal=RuntimeError("secret detail")))
        with caplog.at_level(logging.ERROR):
            async with client(app) as http:
                response = await http.post(CHAT, json=chat())
        assert_openai_error(response, 500, code="internal_error")
        assert "secret" not in response.text
        assert response.headers["x-request-id"] in response.json()["error"]["message"]
        assert "secret detail" in caplog.text


class TestEngineErrors:
    @pytest.mark.parametrize(
        ("code", "status"),
        [
            ("model_not_found", 404),
            ("model_load_failed", 500),
            ("invalid_request", 400),
            ("context_length_exceeded", 400),
            ("unsupported_schema", 400),
            ("template_failed", 500),
            ("not_supported_by_model", 400),
            ("overloaded", 503),
            ("queue_full", 429),
            ("queue_timeout", 503),
            ("worker_died", 500),
            ("shutting_down", 503),
        ],
    )
    async def test_each_has_its_status_before_the_first_byte_even_of_a_stream(self, code, status):
        app = application(ScriptedEngine(refusal=EngineError(code, "what the model did", param="model")))
        async with client(app) as http:
            for body in (chat(), chat(stream=True)):
                response = await http.post(CHAT, json=body)
                assert_openai_error(response, status, code=code, param="model")
                assert response.json()["error"]["message"] == "what the model did"

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("/v1/embeddings", {"input": "Hi"}, "input"),
            ("/v1/embeddings", {"input": [1, 2]}, "input"),
            ("/v1/embeddings", {"input": ["Hi"]}, "input[0]"),
            ("/api/embed", {"input": "Hi"}, "input"),
            ("/api/embed", {"input": ["Hi"]}, "input[0]"),
            ("/api/embeddings", {"prompt": "Hi"}, "prompt"),
        ],
    )
    async def test_one_about_an_input_names_the_field_that_the_client_sent(self, path, body, field):
        app = application(ScriptedEngine(refusal=EngineError("invalid_request", "it has no tokens", param="input[0]")))
        async with client(app) as http:
            error = (await http.post(path, json={"model": "demo", **body})).json()["error"]
        assert (error if isinstance(error, str) else error["message"]) == f"{field}: it has no tokens"

    async def test_an_internal_one_says_nothing(self):
        app = application(ScriptedEngine(refusal=EngineError("internal", "assertion failed in foo.c")))
        async with client(app) as http:
            response = await http.post("/api/generate", json={"model": "demo", "prompt": "x"})
        assert response.status_code == 500
        assert "foo.c" not in response.json()["error"]

    async def test_an_overloaded_server_says_when_to_come_back(self):
        app = application(ScriptedEngine(refusal=EngineError("overloaded", "too much")))
        async with client(app) as http:
            assert int((await http.post(CHAT, json=chat())).headers["retry-after"]) > 0

    @pytest.mark.parametrize(("path", "body"), [(CHAT, chat()), ("/api/chat", chat(stream=False))])
    @pytest.mark.parametrize(("measured_seconds", "said"), [(12.3, 13), (0.0, 1), (1e6, 600)])
    async def test_a_full_queue_says_how_long_it_would_take(self, path, body, measured_seconds, said):
        refusal = EngineError("queue_full", "too many", retry_after_seconds=measured_seconds)
        async with client(application(ScriptedEngine(refusal=refusal))) as http:
            response = await http.post(path, json=body)
        assert (response.status_code, int(response.headers["retry-after"])) == (429, said)

    async def test_one_in_mid_stream_is_one_event_and_the_end_without_done(self):
        app = application(ScriptedEngine((*HELLO[:1], EngineError("worker_died", "the worker died"))))
        async with client(app) as http:
            response = await http.post(CHAT, json=chat(stream=True))
        *before, last = [event.removeprefix("data: ") for event in response.text.split("\n\n") if event]
        assert response.status_code == 200
        assert json.loads(last)["error"]["code"] == "worker_died"
        assert not any("error" in json.loads(event) for event in before)

    async def test_one_in_mid_stream_is_one_line_on_ollamas_api(self):
        app = application(ScriptedEngine((*HELLO[:1], EngineError("worker_died", "the worker died"))))
        async with client(app) as http:
            response = await http.post("/api/generate", json={"model": "demo", "prompt": "x"})
        lines = [json.loads(line) for line in response.text.splitlines()]
        assert lines[-1] == {"error": "the worker died"}
        assert not any(line.get("done") for line in lines)


class TestLog:
    async def test_each_request_leaves_one_line_with_what_is_known(self, caplog):
        with caplog.at_level(logging.INFO, logger="trueline.access"):
            async with client() as http:
                response = await http.post(CHAT, json=chat(stream=True))
        (line,) = [record.getMessage() for record in caplog.records if record.name == "trueline.access"]
        assert line.startswith(f"POST {CHAT} 200 ")
        assert response.headers["x-request-id"] in line
        assert "model='demo'" in line
        assert "tokens=3+2" in line

    async def test_a_path_cannot_forge_a_line(self, caplog):
        with caplog.at_level(logging.INFO, logger="trueline.access"):
            async with client() as http:
                await http.get("/v1/a%0AGET%20/forged")
        assert "\n" not in caplog.records[-1].getMessage()


class TestReadiness:
    async def test_ready_is_503_until_the_models_are_loaded(self):
        engine = ScriptedEngine()
        engine.ready = False
        async with client(application(engine)) as http:
            response = await http.get("/ready")
            assert response.status_code == 503
            assert response.json() == {"status": "loading", "models": [{"model": "demo", "status": "loading"}]}
            engine.preload_errors = {"demo": "no memory"}
            assert (await http.get("/ready")).json()["models"][0]["error"] == "no memory"
            engine.preload_errors, engine.ready = {}, True
            assert (await http.get("/ready")).status_code == 200

    async def test_health_does_not_wait_for_models(self):
        engine = ScriptedEngine()
        engine.ready = False
        async with client(application(engine)) as http:
            assert (await http.get("/health")).json() == {"status": "ok"}
