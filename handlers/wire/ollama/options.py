"""`options`: how to sample, and how far. Owns Ollama's documented defaults, which are not OpenAI's."""

from typing import cast

from engine import ModelEntry, SamplingParams
from handlers.wire import samplers
from handlers.wire.nullable import or_default
from handlers.wire.types.ollama import ModelOptions

_ANY_SEED = -1


def with_parameters(options: ModelOptions, entry: ModelEntry) -> ModelOptions:
    """The options with the model's own parameters, which `/api/show` lists, where they leave them out."""
    given = {name: value for name, value in options.items() if value is not None}
    return cast(ModelOptions, {**entry.metadata.sampling.as_options(), **given})


def parse_sampling(options: ModelOptions) -> SamplingParams:
    """The sampling parameters. A seed of -1 draws one, and a negative top_k is off, as for Ollama."""
    seed = options.get("seed")
    return SamplingParams(
        temperature=or_default(options.get("temperature"), 0.8),
        top_k=max(or_default(options.get("top_k"), 40), 0),
        top_p=or_default(options.get("top_p"), 0.9),
        min_p=or_default(options.get("min_p"), 0.0),
        typical_p=or_default(options.get("typical_p"), 1.0),
        repeat_penalty=or_default(options.get("repeat_penalty"), 1.1),
        presence_penalty=or_default(options.get("presence_penalty"), 0.0),
        frequency_penalty=or_default(options.get("frequency_penalty"), 0.0),
        repeat_last_n=or_default(options.get("repeat_last_n"), 64),
        top_n_sigma=or_default(options.get("top_n_sigma"), 0.0),
        min_keep=or_default(options.get("min_keep"), 0),
        dry=samplers.dry(options),
        xtc=samplers.xtc(options),
        dynamic_temperature=samplers.dynamic_temperature(options),
        adaptive_p=samplers.adaptive_p(options),
        mirostat=samplers.mirostat(options),
        samplers=samplers.order(options),
        seed=None if seed == _ANY_SEED else seed,
    )


def max_tokens(options: ModelOptions) -> int | None:
    """The most tokens to generate. -1 (until the model ends) and -2 (until the context is full) are one: a full context ends both."""
    limit = or_default(options.get("num_predict"), -1)
    return None if limit < 0 else limit
