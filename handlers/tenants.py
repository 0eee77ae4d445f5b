"""Owns for whom a request is: the engine gives each tenant an equal share. Must not know what tells tenants apart, nor a dialect."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from engine import EmbeddingRequest, GenerationRequest, RerankRequest
from handlers.context import Call

R = TypeVar("R", GenerationRequest, EmbeddingRequest, RerankRequest)


def for_tenant(call: Call[Any], request: R) -> R:
    """The request, with who it is for."""
    return msgspec.structs.replace(request, tenant=call.record.tenant)
