"""What generate and chat requests have in common: body -> GenerationRequest around a prompt. Must not know either's prompt."""

from engine import ChatPrompt, GenerationRequest, JsonConstraint, JsonObject, ModelEntry, Prompt, ToolUse
from handlers.wire.json_constraint import object_constraint, schema_constraint
from handlers.wire.keep_alive import parse_keep_alive
from handlers.wire.logprobs import requested_alternatives
from handlers.wire.nullable import or_default
from handlers.wire.ollama.options import max_tokens, parse_sampling, with_parameters
from handlers.wire.ollama.thinking import parse_budget
from handlers.wire.stop import parse_stop
from handlers.wire.text_constraints import check_beside_tools, parse_constraint
from handlers.wire.types.ollama import ChatRequest, GenerateRequest

Body = GenerateRequest | ChatRequest


def generation_request(
    body: Body, entry: ModelEntry, prompt: Prompt, *, tool_use: ToolUse | None = None, return_context: bool = False
) -> GenerationRequest:
    """The generation that `body` asks of the model `entry` with `prompt`. A prompt too long for the context is shortened, as Ollama
    documents; options that are left out are the model's own parameters."""
    options = with_parameters(body.get("options") or {}, entry)
    constraint = parse_constraint(body, parse_format(body.get("format")), "format")
    if tool_use:
        check_beside_tools(constraint, "tools")
    return GenerationRequest(
        model=body["model"],
        prompt=prompt,
        sampling=parse_sampling(options),
        constraint=constraint,
        stop=parse_stop(options.get("stop")),
        max_tokens=max_tokens(options),
        logprobs=requested_alternatives(body.get("logprobs"), body.get("top_logprobs")),
        ignore_eos=or_default(options.get("ignore_eos"), False),
        tool_use=tool_use,
        split_reasoning=isinstance(prompt, ChatPrompt),
        reasoning_budget_tokens=parse_budget(body, entry, prompt),
        context_limit_tokens=options.get("num_ctx"),
        truncate_prompt=True,
        return_context=return_context,
        keep_alive_seconds=parse_keep_alive(body.get("keep_alive")),
    )


def parse_format(form: str | JsonObject | None) -> JsonConstraint | None:
    """The constraint that `format` stands for: `json` any JSON object, a schema what is valid under it, empty none."""
    if isinstance(form, dict):
        return schema_constraint(form, "format")
    return object_constraint() if form == "json" else None
