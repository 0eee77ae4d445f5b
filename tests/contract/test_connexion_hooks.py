"""What handlers/contract stands on in Connexion: each hook that it uses, tried alone. They are documented thinly or not at all,
so a new release of Connexion is judged by these tests."""

from functools import partial

import httpx
import pytest
from connexion import ConnexionMiddleware
from connexion.middleware.abstract import ROUTING_CONTEXT, RoutedAPI, RoutedMiddleware
from connexion.middleware.routing import RoutingMiddleware
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from handlers.contract.documented import operations
from handlers.contract.routing import skeleton

RESPONSES = {"responses": {"200": {"description": ""}}}
SLASHED = {"name": "id", "in": "path", "required": True, "x-allow-slashes": True, "schema": {"type": "string"}}
SPEC = {
    "openapi": "3.1.0",
    "servers": [{"url": "/v1"}],
    "paths": {
        "/files/{id}": {"get": {"operationId": "file", "parameters": [SLASHED], **RESPONSES}},
        "/files/newest": {"get": {"operationId": "newest", **RESPONSES}},
        "/": {"get": {"operationId": "root", **RESPONSES}, "head": {"operationId": "headRoot", **RESPONSES}},
        "/a": {"get": {"operationId": "getA", **RESPONSES}, "post": {"operationId": "postA", **RESPONSES}},
    },
}


class _Operations(RoutedAPI):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.add_paths()

    def make_operation(self, operation):
        async def tell(scope, receive, send):
            told = {"operation": operation.operation_id, "path": scope["path_params"]}
            await JSONResponse(told)(scope, receive, send)

        return tell


class _Tell(RoutedMiddleware):
    api_cls = _Operations


async def _end(scope, receive, send):
    told = {"operation": scope["extensions"][ROUTING_CONTEXT]["operation_id"]}
    await JSONResponse(told)(scope, receive, send)


def application(resolve=lambda operation_id: operation_id.__str__):
    routed = ConnexionMiddleware(_end, middlewares=[RoutingMiddleware, partial(_Tell)], resolver=Resolver(resolve))
    routed.add_api(skeleton(operations("test", SPEC)), base_path="")
    return routed


async def told(method, path):
    """The operation that a request is routed to, and its path parameters."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application()), base_url="http://x") as http:
        return (await http.request(method, path)).json()


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("GET", "/v1/a", "test.getA"),
        ("POST", "/v1/a", "test.postA"),
        ("GET", "/v1/files/newest", "test.newest"),
        ("GET", "/v1/files/org/name:tag", "test.file"),
        ("GET", "/v1/", "test.root"),
    ],
)
async def test_a_request_reaches_its_operation_by_its_operation_id(method, path, operation):
    assert (await told(method, path))["operation"] == operation


async def test_head_reaches_its_own_operation_before_gets():
    heard = []

    async def end(scope, receive, send):
        heard.append(scope["extensions"][ROUTING_CONTEXT]["operation_id"])
        await JSONResponse({})(scope, receive, send)

    routed = ConnexionMiddleware(end, middlewares=[RoutingMiddleware], resolver=Resolver(lambda name: name.__str__))
    routed.add_api(skeleton(operations("test", SPEC)), base_path="")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=routed), base_url="http://x") as http:
        await http.head("/v1/")
        await http.head("/v1/a")
    assert heard == ["test.headRoot", "test.getA"]


@pytest.mark.parametrize("path", ["/v1/files/org/name:tag", "/v1/files/org%2Fname%3Atag"])
async def test_a_path_parameter_may_contain_slashes(path):
    assert (await told("GET", path))["path"] == {"id": "org/name:tag"}


async def test_an_unknown_path_goes_to_the_end_without_an_operation():
    assert await told("GET", "/nowhere") == {"operation": None}


async def test_a_wrong_method_raises_starlettes_405():
    with pytest.raises(HTTPException) as refusal:
        await told("DELETE", "/v1/a")
    assert refusal.value.status_code == 405


async def test_an_operation_that_the_resolver_refuses_fails_the_start():
    def resolve(operation_id):
        raise ValueError(operation_id)

    with pytest.raises(Exception, match="headRoot"):
        await application(resolve)({"type": "lifespan"}, None, None)


async def test_what_the_skeleton_leaves_out_connexion_does_not_need():
    routes = skeleton(operations("test", SPEC))
    assert routes["openapi"].startswith("3.0.")
    assert "components" not in routes
    assert all("requestBody" not in item for path in routes["paths"].values() for item in path.values())
