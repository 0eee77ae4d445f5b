"""How to draw tokens, from the fields that chat and plain completions share. Must not know either's other fields."""

from engine import Mirostat, SamplingParams
from handlers.wire.nullable import or_default
from handlers.wire.types.openai import CreateChatCompletionRequest, CreateCompletionRequest

Body = CreateChatCompletionRequest | CreateCompletionRequest


def parse_sampling(body: Body) -> SamplingParams:
    """The sampling parameters of a request. OpenAI's defaults: temperature 1, top_p 1, everything else off."""
    return SamplingParams(
        temperature=or_default(body.get("temperature"), 1.0),
        top_k=or_default(body.get("top_k"), 0),
        top_p=or_default(body.get("top_p"), 1.0),
        min_p=or_default(body.get("min_p"), 0.0),
        typical_p=or_default(body.get("typical_p"), 1.0),
        repeat_penalty=or_default(body.get("repeat_penalty"), 1.0),
        presence_penalty=or_default(body.get("presence_penalty"), 0.0),
        frequency_penalty=or_default(body.get("frequency_penalty"), 0.0),
        repeat_last_n=or_default(body.get("repeat_last_n"), 64),
        mirostat=_mirostat(body),
        seed=body.get("seed"),
        logit_bias={int(token): float(bias) for token, bias in or_default(body.get("logit_bias"), {}).items()},
    )


def _mirostat(body: Body) -> Mirostat | None:
    version = body.get("mirostat")
    if not version:
        return None
    return Mirostat(
        version=version,
        tau=or_default(body.get("mirostat_tau"), 5.0),
        eta=or_default(body.get("mirostat_eta"), 0.1),
    )
