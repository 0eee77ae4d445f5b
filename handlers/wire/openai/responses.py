"""Responses: body -> GenerationRequest, and what of the body comes back with the answer.

Must not know HTTP, how items become messages, nor how an answer's items come about.
"""

from engine import ChatPrompt, Constraint, GenerationRequest, JsonObject, Media, ModelEntry
from handlers.wire.json_constraint import object_constraint, schema_constraint
from handlers.wire.keep_alive import parse_keep_alive
from handlers.wire.logprobs import requested_alternatives
from handlers.wire.nullable import or_default
from handlers.wire.openai.envelope import Envelope
from handlers.wire.openai.lora import parse_lora
from handlers.wire.openai.reasoning import parse_budget, parse_effort
from handlers.wire.openai.responses_input import Conversation
from handlers.wire.openai.responses_output import Form
from handlers.wire.openai.responses_tools import custom_names, parse_tools, places
from handlers.wire.openai.sampling import parse_sampling
from handlers.wire.openai.stream_options import check_stream_options
from handlers.wire.openai.template_settings import parse_ending, parse_variables
from handlers.wire.stop import parse_stop
from handlers.wire.text_constraints import check_beside_tools, parse_constraint
from handlers.wire.types.openai import CreateResponse as Body
from handlers.wire.types.openai import FunctionTool

ID_PREFIX = "resp_"
_LOGPROBS = "message.output_text.logprobs"
_SEALED = "reasoning.encrypted_content"
_SCHEMA = "text.format.schema"
_EFFORT = "reasoning.effort"
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "prompt_cache_key",
    "safety_identifier",
    "top_logprobs",
)
"""What an answer has as it was asked for, or as null."""


def names(body: Body, conversation: Conversation) -> dict[str, str]:
    """Where a body has what the engine calls otherwise."""
    origins = {f"messages[{number}]": place for number, place in enumerate(conversation.places)}
    return {
        "schema": _SCHEMA,
        "template_kwargs": "chat_template_kwargs",
        "messages": "input",
        **origins,
        **places(body),
    }


def parse(
    body: Body, entry: ModelEntry, conversation: Conversation, media: tuple[Media, ...] = ()
) -> GenerationRequest:
    """The generation that a validated body asks of the model that it names; `media` are what its conversation's sources hold.

    Raises InvalidParameter.
    """
    check_stream_options(body)
    offer = parse_tools(body)
    constraint = _constraint(body)
    if offer.tools:
        check_beside_tools(constraint, "tools")
    effort = (body.get("reasoning") or {}).get("effort")
    return GenerationRequest(
        model=body["model"],
        prompt=ChatPrompt(
            messages=conversation.messages,
            tools=offer.tools,
            **parse_ending(body, conversation.messages)._asdict(),
            template_kwargs=parse_variables(body),
            reasoning_effort=parse_effort(effort, entry, _EFFORT),
            media=media,
        ),
        sampling=parse_sampling(body),
        constraint=constraint,
        stop=parse_stop(body.get("stop")),
        max_tokens=body.get("max_output_tokens"),
        logprobs=_alternatives(body),
        truncate_prompt=body.get("truncation") == "auto",
        ignore_eos=or_default(body.get("ignore_eos"), False),
        lora=parse_lora(body.get("lora")),
        tool_use=offer.use,
        split_reasoning=True,
        reasoning_budget_tokens=parse_budget(body.get("reasoning_budget_tokens"), effort, entry, _EFFORT),
        cache_salt=or_default(body.get("cache_salt"), ""),
        keep_alive_seconds=parse_keep_alive(body.get("keep_alive")),
    )


def form(body: Body, envelope: Envelope) -> Form:
    """How the answer to a validated body is to be written."""
    return Form(
        frame=_frame(body, envelope),
        logprobs=_alternatives(body) is not None,
        sealed=_SEALED in (body.get("include") or ()),
        custom=custom_names(body),
    )


def _alternatives(body: Body) -> int | None:
    wanted = _LOGPROBS in (body.get("include") or ())
    return requested_alternatives(wanted, body.get("top_logprobs"), f"include must have {_LOGPROBS}")


def _constraint(body: Body) -> Constraint | None:
    """`strict` makes no difference: a schema is always kept."""
    given = (body.get("text") or {}).get("format")
    if given is None or given["type"] == "text":
        return parse_constraint(body)
    if given["type"] == "json_object":
        return parse_constraint(body, object_constraint(), "text.format")
    return parse_constraint(body, schema_constraint(given["schema"], _SCHEMA), "text.format")


def _frame(body: Body, envelope: Envelope) -> JsonObject:
    """What an answer has from its first event to its last."""
    reasoning = body.get("reasoning") or {}
    frame: JsonObject = {
        "id": envelope.id,
        "object": "response",
        "created_at": envelope.created,
        "model": envelope.model,
        **{name: body.get(name) for name in _ECHOED},
        "metadata": or_default(body.get("metadata"), {}),
        "parallel_tool_calls": or_default(body.get("parallel_tool_calls"), True),
        "temperature": or_default(body.get("temperature"), 1.0),
        "top_p": or_default(body.get("top_p"), 1.0),
        "text": {"format": {"type": "text"}, **(body.get("text") or {})},
        "reasoning": {"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": [_shown(tool) if tool["type"] == "function" else tool for tool in body.get("tools") or ()],
        "truncation": or_default(body.get("truncation"), "disabled"),
        "service_tier": "default",
        "store": False,
        "background": False,
        "previous_response_id": None,
    }
    return {**frame, "user": body["user"]} if "user" in body else frame


def _shown(tool: FunctionTool) -> JsonObject:
    """A function as answers show it, with every published field."""
    return {"description": None, "parameters": None, "strict": None, **tool}
