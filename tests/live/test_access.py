"""API keys: which paths they guard, and how each API words a refusal."""

import httpx
import openai
import pytest

from tests.launch import serving

KEY = "tl-test-key-0123456789"
GUARDED = ["/v1/models", "/api/tags"]
OPEN = ["/health", "/ready", "/docs", "/openapi/openai.json", "/openapi/ollama.json", "/openapi/server.json"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with one key."""
    directory = tmp_path_factory.mktemp("guarded")
    key_file = directory / "keys"
    key_file.write_text(f"# who holds it\n{KEY}\n")
    with serving(directory, "--api-key-file", str(key_file)) as running:
        yield running


@pytest.mark.parametrize("path", GUARDED)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
def test_without_the_key_it_is_401_in_the_apis_own_shape(path, headers, guarded):
    response = httpx.get(guarded.url + path, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    error = response.json()["error"]
    if path.startswith("/v1"):
        assert set(error) == {"message", "type", "param", "code"}
        assert error["code"] == "invalid_api_key"
    else:
        assert isinstance(error, str)


@pytest.mark.parametrize("path", GUARDED)
def test_with_the_key_it_answers(path, guarded):
    assert httpx.get(guarded.url + path, headers={"Authorization": f"Bearer {KEY}"}).status_code == 200


@pytest.mark.parametrize("path", OPEN)
def test_health_and_documentation_need_no_key(path, guarded):
    assert httpx.get(guarded.url + path).status_code == 200


def test_every_described_operation_under_v1_and_api_is_guarded(guarded):
    for name in ("openai", "ollama", "server"):
        document = httpx.get(f"{guarded.url}/openapi/{name}.json").json()
        base = document.get("servers", [{"url": ""}])[0]["url"].rstrip("/")
        for path, item in document["paths"].items():
            for method in set(item) & {"get", "post", "delete", "put", "patch", "head"}:
                full = base + path
                if full.startswith(("/v1/", "/api/")):
                    response = httpx.request(method, guarded.url + full.replace("{model}", "x"))
                    assert response.status_code == 401, (method, full)


def test_the_official_client_raises_its_authentication_error(guarded):
    client = openai.OpenAI(base_url=f"{guarded.url}/v1", api_key="wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError):
        client.models.list()


def test_keys_from_the_environment_guard_as_well(tmp_path):
    with serving(tmp_path, TRUELINE_API_KEYS=KEY) as running:
        assert httpx.get(f"{running.url}/v1/models").status_code == 401
        assert httpx.get(f"{running.url}/v1/models", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200


def test_the_key_is_never_logged(guarded):
    httpx.get(f"{guarded.url}/v1/models", headers={"Authorization": f"Bearer {KEY}"})
    assert KEY not in guarded.log
