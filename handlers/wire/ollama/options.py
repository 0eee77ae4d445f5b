"""`options`: how to sample, and how far. Owns Ollama's documented defaults, which are not OpenAI's."""

from engine import Mirostat, SamplingParams
from handlers.wire.nullable import or_default
from handlers.wire.types.ollama import ModelOptions

_ANY_SEED = -1


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
        mirostat=_mirostat(options),
        seed=None if seed == _ANY_SEED else seed,
    )


def max_tokens(options: ModelOptions) -> int | None:
    """The most tokens to generate. -1 (until the model ends) and -2 (until the context is full) are one: a full context ends both."""
    limit = or_default(options.get("num_predict"), -1)
    return None if limit < 0 else limit


def _mirostat(options: ModelOptions) -> Mirostat | None:
    version = options.get("mirostat")
    if not version:
        return None
    tau, eta = or_default(options.get("mirostat_tau"), 5.0), or_default(options.get("mirostat_eta"), 0.1)
    return Mirostat(version=version, tau=tau, eta=eta)
