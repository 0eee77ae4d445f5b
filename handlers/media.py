"""Brings a request's pictures and sounds together: decoded or fetched, and looked at before anything is decoded in earnest.

Owns the order of those steps, and who may ask for what. Must not know a dialect, nor formats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from engine import Media, ModelEntry
from handlers.context import Call
from handlers.remote_media import FetchRefused, FetchRules, fetch
from handlers.streaming import whole
from handlers.wire.media import MediaSource, decoded
from handlers.wire.media_headers import MediaLimits, check_media
from handlers.wire.refusal import UNSUPPORTED_PARAMETER, InvalidParameter

_CAPABILITIES = {"image": "vision", "audio": "audio"}
_NAMES = {"image": "pictures", "audio": "sound"}


async def load_media(call: Call[Any], entry: ModelEntry, sources: Sequence[MediaSource]) -> tuple[Media, ...]:
    """The content of all sources, in order. Raises InvalidParameter for the first that the model can't take, or that is no such file."""
    config = call.config
    for source in sources:
        _check_capability(source, entry)
    if len(sources) > config.max_media:
        where = sources[config.max_media].where
        raise InvalidParameter(f"{where}: expected at most {config.max_media} pictures and sounds in a request", where)
    limits = MediaLimits(config.max_image_pixels, config.max_audio_seconds)
    rules = FetchRules(config.remote_media, config.remote_media_max_bytes, config.remote_media_timeout)
    return tuple([await _media(call, source, limits, rules) for source in sources])


async def _media(call: Call[Any], source: MediaSource, limits: MediaLimits, rules: FetchRules) -> Media:
    fetched = await whole(call, _fetched(source, rules)) if source.address is not None else None
    return await asyncio.to_thread(_checked, source, fetched, limits)


def _checked(source: MediaSource, fetched: bytes | None, limits: MediaLimits) -> Media:
    content = decoded(source) if fetched is None else fetched
    check_media(source.kind, content, limits, source.where)
    return Media(kind=source.kind, content=content, where=source.where, most_side_pixels=source.most_side_pixels)


async def _fetched(source: MediaSource, rules: FetchRules) -> bytes:
    if not rules.hosts:
        message = f"{source.where}: this server fetches nothing from elsewhere; expected a data: URL"
        raise InvalidParameter(message, source.where, code=UNSUPPORTED_PARAMETER)
    try:
        return await fetch(source.address or "", rules)
    except FetchRefused as error:
        raise InvalidParameter(f"{source.where}: {error}", source.where) from error


def _check_capability(source: MediaSource, entry: ModelEntry) -> None:
    if _CAPABILITIES[source.kind] not in entry.metadata.capabilities:
        message = f"{source.where}: the model {entry.name!r} takes no {_NAMES[source.kind]}"
        raise InvalidParameter(message, source.where, code=UNSUPPORTED_PARAMETER)
