"""Keys, and on loopback without keys the guard against foreign web pages."""

import pytest

from handlers.config import ConfigError, ServerConfig
from handlers.security import ApiKeys, read_keys, require_guard
from tests.unit.handlers.scripted_engine import ScriptedEngine, application, chat, client

KEY = {"Authorization": "Bearer key-1"}


class TestKeys:
    def test_they_come_from_the_file_and_the_environment(self, tmp_path):
        path = tmp_path / "keys"
        path.write_text("# ours\nkey-1  # Ann's\n\nkey-2\n")
        keys = read_keys(ServerConfig(api_key_file=path, api_keys="key-3, key-4"))
        assert all(keys.hold(f"key-{number}") for number in (1, 2, 3, 4))
        assert not keys.hold("key-5")
        assert not keys.hold("# ours")
        assert not keys.hold("")

    @pytest.mark.parametrize("content", [b"", b"# nothing but a comment\n", b"\xff\xfe\n"])
    def test_a_file_without_a_usable_key_is_refused(self, content, tmp_path):
        path = tmp_path / "keys"
        path.write_bytes(content)
        with pytest.raises(ConfigError, match="keys"):
            read_keys(ServerConfig(api_key_file=path))

    @pytest.mark.parametrize(
        "path", ["/v1/models", "/v1/nothing", "/v1", "/api/tags", "/api/nothing", "/v1/images/edits"]
    )
    async def test_everything_of_the_apis_needs_one_existing_or_not(self, path):
        async with client(application(keys=["key-1"])) as http:
            refused = await http.get(path)
            admitted = await http.get(path, headers=KEY)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert admitted.status_code != 401

    @pytest.mark.parametrize(
        "value", ["Bearer key-2", "Bearer", "Basic key-1", "key-1", "Bearer \xff", "Bearer key-1 x"]
    )
    async def test_a_wrong_one_is_refused_in_whatever_form(self, value):
        async with client(application(keys=["key-1"])) as http:
            response = await http.get("/v1/models", headers=[(b"authorization", value.encode("latin-1"))])
        assert response.status_code == 401

    async def test_the_right_one_is_taken_whatever_the_schemes_case(self):
        async with client(application(keys=["key-1"])) as http:
            assert (await http.get("/v1/models", headers={"Authorization": "bearer key-1"})).status_code == 200

    @pytest.mark.parametrize("path", ["/", "/health", "/ready", "/docs", "/docs/setup.js", "/openapi/openai.json"])
    async def test_health_and_documents_need_none(self, path):
        async with client(application(keys=["key-1"])) as http:
            assert (await http.get(path)).status_code == 200

    async def test_the_engine_can_tell_two_keys_apart_but_is_not_told_them(self):
        engine = ScriptedEngine()
        async with client(application(engine, keys=["key-1", "key-2"])) as http:
            for key in ("key-1", "key-1", "key-2"):
                await http.post("/v1/chat/completions", json=chat(), headers={"Authorization": f"Bearer {key}"})
        first, again, other = (request.tenant for request in engine.requests)
        assert first == again != other
        assert "key" not in first

    async def test_without_keys_the_apis_are_open(self):
        async with client() as http:
            assert (await http.get("/v1/models")).status_code == 200


class TestOtherAddresses:
    @pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
    def test_loopback_needs_no_key(self, host):
        require_guard(ServerConfig(host=host), ApiKeys([]))

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
    def test_any_other_needs_a_key_or_a_clear_word(self, host):
        with pytest.raises(ConfigError, match="--allow-open"):
            require_guard(ServerConfig(host=host), ApiKeys([]))
        require_guard(ServerConfig(host=host, allow_open=True), ApiKeys([]))
        require_guard(ServerConfig(host=host), ApiKeys(["key"]))


class TestForeignPages:
    @pytest.mark.parametrize(
        "host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "box", "box.local", "a.localhost", "192.168.1.5", ""]
    )
    async def test_local_names_and_addresses_are_served(self, host):
        async with client() as http:
            assert (await http.get("/v1/models", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[x"])
    async def test_a_public_name_is_not_as_it_may_be_rebound(self, host):
        async with client() as http:
            response = await http.get("/v1/models", headers={"Host": host})
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "host_not_allowed"

    async def test_a_name_can_be_allowed(self):
        async with client(allowed_host=("llm.example.com",)) as http:
            assert (await http.get("/v1/models", headers={"Host": "llm.example.com"})).status_code == 200

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "https://localhost.evil.example"])
    async def test_a_page_from_elsewhere_is_refused(self, origin):
        async with client() as http:
            response = await http.get("/v1/models", headers={"Origin": origin})
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "origin_not_allowed"

    @pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:5173"])
    async def test_a_page_from_this_machine_is_served(self, origin):
        async with client() as http:
            assert (await http.get("/v1/models", headers={"Origin": origin})).status_code == 200

    async def test_an_allowed_origin_is_served_and_told_so_errors_included(self):
        headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
        async with client(cors_origin=("https://app.example",)) as http:
            preflight = await http.options("/v1/chat/completions", headers=headers)
            refusal = await http.get("/v1/nothing", headers=headers)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://app.example"
        assert refusal.status_code == 404
        assert refusal.headers["access-control-allow-origin"] == "https://app.example"

    @pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173"])
    async def test_a_page_from_this_machine_may_ask_and_read(self, origin):
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a"}
        async with client() as http:
            preflight = await http.options("/v1/chat/completions", headers=headers)
            answer = await http.get("/v1/models", headers={"Origin": origin})
        assert preflight.status_code == 200
        assert {r.headers["access-control-allow-origin"] for r in (preflight, answer)} == {origin}
        assert preflight.headers["access-control-allow-headers"] == "x-a"

    async def test_a_page_from_elsewhere_is_refused_in_the_dialect_of_the_path(self):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        async with client(cors_origin=("https://app.example",)) as http:
            openai = await http.options("/v1/chat/completions", headers=headers)
            ollama = await http.options("/api/chat", headers=headers)
        assert (openai.status_code, ollama.status_code) == (403, 403)
        assert openai.json()["error"]["code"] == "origin_not_allowed"
        assert "evil.example" in ollama.json()["error"]
        assert "access-control-allow-origin" not in openai.headers
