"""`stream` and `stream_options`, which all generations share."""

from handlers.wire.refusal import InvalidParameter
from handlers.wire.types.openai import (
    ChatCompletionStreamOptions,
    CreateChatCompletionRequest,
    CreateCompletionRequest,
    CreateResponse,
)


def check_stream_options(body: CreateChatCompletionRequest | CreateCompletionRequest | CreateResponse) -> None:
    """Raises InvalidParameter for options of a stream that is not asked for."""
    if body.get("stream_options") is not None and not body.get("stream"):
        raise InvalidParameter("stream_options: stream must be true for its options to be given", "stream_options")


def includes_usage(body: CreateChatCompletionRequest | CreateCompletionRequest) -> bool:
    """Whether the stream ends with a chunk of token counts."""
    options: ChatCompletionStreamOptions = body.get("stream_options") or {}
    return options.get("include_usage", False)
