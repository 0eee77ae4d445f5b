"""What is answered where no operation is."""

import pytest

from handlers.contract.coverage import Unserved
from handlers.contract.documented import operations
from handlers.contract.unrouted import Unrouted

RESPONSES = {"responses": {"default": {"description": ""}}}
SLASHED = {"name": "id", "in": "path", "required": True, "x-allow-slashes": True, "schema": {"type": "string"}}
PLAIN = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
SPEC = {
    "servers": [{"url": "/v1"}],
    "paths": {
        "/a": {"get": {"operationId": "getA", **RESPONSES}, "post": {"operationId": "postA", **RESPONSES}},
        "/files/{id}": {"get": {"operationId": "getFile", "parameters": [SLASHED], **RESPONSES}},
        "/jobs/{id}": {"get": {"operationId": "getJob", "parameters": [PLAIN], **RESPONSES}},
    },
}
UNROUTED = Unrouted(
    operations("test", SPEC),
    [
        Unserved("test.deleteFile", "DELETE", "/v1/files/{id}", "Later."),
        Unserved("test.stop", "POST", "/v1/jobs/{id}/stop", "Later."),
    ],
)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/b", 404, "unknown_path"),
        ("PUT", "/v1/a", 405, "method_not_allowed"),
        ("POST", "/v1/files/x/y:z", 405, "method_not_allowed"),
        ("DELETE", "/v1/files/x/y:z", 404, "operation_not_served"),
        ("POST", "/v1/jobs/7/stop", 404, "operation_not_served"),
        ("POST", "/v1/jobs/7/8/stop", 404, "unknown_path"),
        ("GET", "/v1/jobs/7/8", 404, "unknown_path"),
        ("GET", "/v1/files/", 404, "unknown_path"),
    ],
)
def test_each_kind_of_nowhere_has_its_answer(method, path, status, code):
    error = UNROUTED.refusal(method, path)
    assert (error.status, error.code) == (status, code)


def test_allow_names_every_method_of_the_path():
    assert UNROUTED.refusal("PUT", "/v1/a").headers == {"Allow": "GET, HEAD, POST"}


def test_an_endless_path_is_not_repeated():
    assert len(UNROUTED.refusal("GET", "/" + "x" * 100_000).message) < 400
