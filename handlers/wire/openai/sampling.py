"""How to draw tokens, from the fields that all generations share. Must not know any other."""

from engine import SamplingParams
from handlers.wire import samplers
from handlers.wire.nullable import or_default
from handlers.wire.types.openai import CreateChatCompletionRequest, CreateCompletionRequest, CreateResponse

Body = CreateChatCompletionRequest | CreateCompletionRequest | CreateResponse


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
        top_n_sigma=or_default(body.get("top_n_sigma"), 0.0),
        min_keep=or_default(body.get("min_keep"), 0),
        dry=samplers.dry(body),
        xtc=samplers.xtc(body),
        dynamic_temperature=samplers.dynamic_temperature(body),
        adaptive_p=samplers.adaptive_p(body),
        mirostat=samplers.mirostat(body),
        samplers=samplers.order(body),
        seed=body.get("seed"),
        logit_bias={int(token): float(bias) for token, bias in or_default(body.get("logit_bias"), {}).items()},
    )
