"""What Schemathesis must be told about this API beyond its documents. Loaded by schemathesis.toml; all checks are on.

A request that the document calls valid is pointed at the bundled model (or at one that ranks, or sees and hears), kept to a few tokens, and
brought in line with the rules that a schema cannot state (REPAIRS), so that the search reaches the engine; a request that is
meant to be refused is left as it is. EXPECTED lists the only answers that a check complains of and that stay, each with its reason.
"""

import json
import re

import schemathesis
from schemathesis.openapi.checks import UnsupportedMethodResponse

from handlers.contract.coverage import limits
from handlers.errors import ApiError
from openapi import coverage
from tests.launch import DEMO_MODEL

MAX_TOKENS = 4
MAX_DIMENSIONS = 8
MAX_ANSWERS = 3
CTX_TOKENS = 2048
VOCABULARY_SIZE = 256  # of the demo model's tokens so many at least exist
RANKING = "/v1/rerank"
RANKING_MODEL = "ranker"
SEEING_MODEL = "seeing"
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
SOUND = "UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQQAAAAAAAEA"
LENGTH_FIELDS = {
    "/chat/completions": ("max_completion_tokens", MAX_TOKENS),
    "/completions": ("max_tokens", MAX_TOKENS),
    "/responses": ("max_output_tokens", 16),  # the least that may be asked for
}
OLLAMA_GENERATION = {"/api/generate", "/api/chat"}
EMBEDDINGS = {"/embeddings", "/api/embed"}
KEPT_TO = ("response_format", "text", "format", "grammar", "regex", "choice")
TOKEN_FIELDS = {"prompt", "input", "tokens", "context"}

LIMITS = {
    operation_id: limits(entry)
    for document in ("openai", "ollama")
    for operation_id, entry in coverage()[document].items()
    if entry["status"] == "served"
}

EXPECTED = [
    (
        UnsupportedMethodResponse,
        404,
        "operation_not_served",
        "a published operation that is not served is 404 and says so, although its path has another that is",
    ),
]


@schemathesis.deserializer("application/x-ndjson")
def ndjson(_context, response):
    """The stream's lines as one list, as the document describes it."""
    return [json.loads(line) for line in response.content.splitlines() if line.strip()]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keep every failure but the expected ones."""
    return not any(
        isinstance(failure, kind) and response.status_code == status and code in response.text
        for kind, status, code, _reason in EXPECTED
    )


@schemathesis.hook
def before_call(context, case, kwargs):
    """Make a valid request reach the engine."""
    if not case.meta.generation.mode.is_positive:
        return
    if case.path_parameters and "model" in case.path_parameters:
        case.path_parameters["model"] = DEMO_MODEL
    if isinstance(case.body, dict):
        if "model" in case.body:
            case.body["model"] = RANKING_MODEL if case.operation.path == RANKING else DEMO_MODEL
        keep_short(case.operation.path, case.body)
        drop_unsupported(case.operation.definition.raw.get("operationId"), case.body)
        for repair in REPAIRS:
            repair(case.body)
        if "model" in case.body and shows_real_pictures(case.body):
            case.body["model"] = SEEING_MODEL


def keep_short(path, body):
    """Bound the answer's size where the request leaves it open or large."""
    if path in LENGTH_FIELDS:
        body.pop("max_tokens", None)  # where it is the old name, both at once would be ambiguous
        bound(body, *LENGTH_FIELDS[path])
        for name in {"n", "best_of"} & body.keys():
            bound(body, name, MAX_ANSWERS)
    elif path in OLLAMA_GENERATION and isinstance(options := body.setdefault("options", {}), dict):
        bound(options, "num_predict", MAX_TOKENS)
    elif path in EMBEDDINGS:
        bound(body, "dimensions", MAX_DIMENSIONS)


def bound(fields, name, most):
    """Lower the field `name` where it is missing, null, without limit (negative) or more than `most`."""
    if fields.get(name) is None or not 0 <= fields[name] <= most:
        fields[name] = most


def drop_unsupported(operation_id, body):
    """Leave out what coverage.yaml refuses; that each of it is refused by name is another test's business."""
    if operation_id not in LIMITS:
        return
    while True:
        try:
            LIMITS[operation_id].check(body)
        except ApiError as error:
            remove(body, error.param)
        else:
            return


def remove(body, path):
    """Delete the field at a path such as `messages[2].content[0]`."""
    *parents, last = [int(step) if step.isdigit() else step for step in re.split(r"[.\[\]]+", path.rstrip("]"))]
    for step in parents:
        body = body[step]
    del body[last]


def items_say_something(body):
    """And what they have of thinking is in plain words."""
    items = body.get("input")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            item.pop("encrypted_content", None)
            if item.get("type") == "reasoning":
                item["content"] = [{"type": "reasoning_text", "text": "Hm."}]
    if isinstance(items, list) and items and isinstance(items[-1], dict) and items[-1].get("type") == "reasoning":
        items.append({"role": "user", "content": "Hello"})  # only a model that thinks can go on with it


def alternatives_need_log_probabilities(body):
    if isinstance(body.get("logprobs"), bool | None) and not body.get("logprobs"):
        body.pop("top_logprobs", None)


def stream_options_need_a_stream(body):
    if not body.get("stream"):
        body.pop("stream_options", None)


def tokens_are_in_the_vocabulary(body):
    for name in TOKEN_FIELDS & body.keys():
        body[name] = known_tokens(body[name])
    if body.get("logit_bias"):
        body["logit_bias"] = {str(int(token) % VOCABULARY_SIZE): bias for token, bias in body["logit_bias"].items()}


def known_tokens(value):
    """`value` with every integer in it brought into the vocabulary."""
    if isinstance(value, list):
        return [known_tokens(item) for item in value]
    return int(value) % VOCABULARY_SIZE if isinstance(value, int | float) else value


def enough_answers_to_choose_from(body):
    if isinstance(body.get("best_of"), int | float):
        body["best_of"] = max(body["best_of"], body.get("n") or 1)


def one_form_of_tools_and_a_choice_among_them(body):
    """The newer form wins, and a choice by name is of the first tool that is offered."""
    if body.get("tools") or not body.get("functions"):
        for name in ("functions", "function_call"):
            body.pop(name, None)
    elif isinstance(body.get("function_call"), dict):
        body["function_call"]["name"] = body["functions"][0]["name"]
    if body.get("functions") or not body.get("tools") or not isinstance(body.get("tool_choice"), str):
        body.pop("tool_choice", None)


def custom_tools_have_a_name_and_a_grammar(body):
    """Names of their own, and few texts are a grammar."""
    for number, tool in enumerate(body.get("tools") or ()):
        if tool.get("type") == "custom":
            custom = tool.get("custom", tool)
            custom["name"] += str(number)
            form = custom.get("format", {})
            grammar = form.get("grammar", form)
            if "definition" in grammar:
                grammar["definition"] = {"lark": 'start: "a" /[a-z"]+/', "regex": 'a[a-z"]*'}[grammar["syntax"]]


def the_model_has_no_adapters(body):
    body.pop("lora", None)


def one_thing_to_keep_to(body):
    """At most one of them, beside no tools; and any text is a valid value, but few texts are a grammar."""
    asked = [name for name in KEPT_TO if body.get(name) is not None]
    for name in asked if body.get("tools") or body.get("functions") else asked[1:]:
        del body[name]
    for name, meaningful in (("grammar", 'root ::= "a" [a-z]*'), ("regex", "a[a-z]*")):
        if body.get(name) is not None:
            body[name] = meaningful


def there_is_something_to_continue(body):
    for name in {"prompt", "input"} & body.keys():
        if name == "input" or "input" not in body:  # beside an input, a prompt is the name of a stored one
            body[name] = something(body[name])


def something(prompt):
    """`prompt`, or a word in place of nothing: the demo model has no token that begins a document."""
    return [something(item) for item in prompt] if isinstance(prompt, list) and prompt else prompt or "Hello"


def raw_and_infill_have_no_template(body):
    if body.get("raw"):
        body.pop("suffix", None)
    if body.get("raw") or body.get("suffix"):
        for name in ("system", "template", "context", "images"):
            body.pop(name, None)


def a_template_shows_the_prompt(body):
    """Any text is a valid value, but few are a template, and fewer one that leaves something to continue. Go's take no pictures."""
    if body.get("template"):
        body.pop("images", None)
        body["template"] = "{{ if .System }}{{ .System }} {{ end }}{{ .Prompt }}{{ .Response }}"


def shows_real_pictures(body):
    """Whether there are pictures or sounds; each is made a real one: any text is a valid value, but few texts are a picture."""
    messages = [message for message in body.get("messages") or () if isinstance(message, dict)]
    found = [holder for holder in (body, *messages) if holder.get("images")]
    for holder in found:
        holder["images"] = [PICTURE]
    if body in found:
        body["prompt"] = body.get("prompt") or "Hello"  # a prompt can't end with a picture, whatever the template
    items = body["input"] if isinstance(body.get("input"), list) else ()
    speaking = [*messages, *(item for item in items if isinstance(item, dict))]
    contents = (message.get(name) for message in speaking for name in ("content", "output"))
    parts = [part for content in contents if isinstance(content, list) for part in content if isinstance(part, dict)]
    for part in parts:
        if part.get("type") == "image_url":
            part["image_url"]["url"] = f"data:image/png;base64,{PICTURE}"
            found.append(part)
        elif part.get("type") == "input_image":
            part["image_url"] = f"data:image/png;base64,{PICTURE}"
            found.append(part)
        elif part.get("type") == "input_audio":
            part["input_audio"]["data"] = SOUND
            found.append(part)
    return bool(found)


def the_model_stays_loaded(body):
    """Otherwise most of the time goes into loading it again."""
    body.pop("keep_alive", None)


def the_model_cannot_think(body):
    for name in ("think", "reasoning", "reasoning_effort", "reasoning_budget_tokens", "chat_template_kwargs"):
        body.pop(name, None)
    if isinstance(body.get("options"), dict):
        body["options"].pop("reasoning_budget_tokens", None)


def the_template_shows_no_documents(body):
    if "messages" in body or "input" in body:
        body.pop("documents", None)


def messages_of(body):
    return body.get("messages") or ()


def an_answer_is_continued_where_one_is_begun(body):
    last = [{}, *messages_of(body)][-1]
    if last.get("role") != "assistant" or not isinstance(last.get("content"), str):
        body.pop("continue_final_message", None)
    if body.get("continue_final_message"):
        body.pop("add_generation_prompt", None)


def the_context_is_at_most_the_servers(body):
    """And has room for the longest texts; one that is larger has tests of its own, for a load takes most of the time."""
    options = body.get("options")
    if isinstance(options, dict) and options.get("num_ctx") is not None:
        options["num_ctx"] = CTX_TOKENS - int(options["num_ctx"]) % (CTX_TOKENS // 2)


def breakers_are_short_in_bytes(body):
    for fields in (body, body.get("options")):
        if isinstance(fields, dict) and fields.get("dry_sequence_breakers"):
            fields["dry_sequence_breakers"] = [text[:5] for text in fields["dry_sequence_breakers"]]


REPAIRS = [
    items_say_something,
    alternatives_need_log_probabilities,
    stream_options_need_a_stream,
    tokens_are_in_the_vocabulary,
    enough_answers_to_choose_from,
    one_form_of_tools_and_a_choice_among_them,
    custom_tools_have_a_name_and_a_grammar,
    the_model_has_no_adapters,
    one_thing_to_keep_to,
    there_is_something_to_continue,
    raw_and_infill_have_no_template,
    a_template_shows_the_prompt,
    the_model_stays_loaded,
    the_model_cannot_think,
    the_template_shows_no_documents,
    an_answer_is_continued_where_one_is_begun,
    the_context_is_at_most_the_servers,
    breakers_are_short_in_bytes,
]
