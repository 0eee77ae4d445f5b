"""`POST /v1/tokenize`, `/v1/detokenize` and `/v1/apply-template`: what a model makes of texts before it generates."""

from typing import cast

from starlette.responses import Response

from engine import ApplyTemplateRequest, ChatPrompt, DetokenizeRequest, TokenizeRequest
from handlers.context import Call
from handlers.streaming import json_response, whole
from handlers.wire.openai.messages import template_messages
from handlers.wire.openai.template_settings import parse_ending, parse_variables
from handlers.wire.types import server as wire
from handlers.wire.types.openai import ChatCompletionRequestMessage


async def tokenize(call: Call[wire.TokenizeRequest]) -> Response:
    """The tokens of a text, without anything put before or after it."""
    request = TokenizeRequest(model=call.body["model"], text=call.body["text"])
    tokens = (await whole(call, call.engine.tokenize(request))).tokens
    return json_response(wire.TokenizeResponse(tokens=list(tokens), count=len(tokens)))


async def detokenize(call: Call[wire.DetokenizeRequest]) -> Response:
    """The text of tokens."""
    request = DetokenizeRequest(model=call.body["model"], tokens=tuple(call.body["tokens"]))
    result = await whole(call, call.engine.detokenize(request))
    return json_response(wire.DetokenizeResponse(text=result.text))


async def apply_template(call: Call[wire.ApplyTemplateRequest]) -> Response:
    """The prompt that the model's chat template makes of a conversation."""
    tools = tuple({"type": "function", "function": dict(tool["function"])} for tool in call.body.get("tools", ()))
    messages = template_messages([_as_chat_message(message) for message in call.body["messages"]])
    ending = parse_ending(call.body, messages)
    prompt = ChatPrompt(messages=messages, tools=tools, template_kwargs=parse_variables(call.body), **ending._asdict())
    request = ApplyTemplateRequest(model=call.body["model"], prompt=prompt)
    result = await whole(call, call.engine.apply_template(request))
    return json_response(wire.ApplyTemplateResponse(prompt=result.prompt))


def _as_chat_message(message: wire.TemplateMessage) -> ChatCompletionRequestMessage:
    """A chat's message has what may be left out here."""
    return cast("ChatCompletionRequestMessage", {"content": "", "tool_call_id": "", **message})
