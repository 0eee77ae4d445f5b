"""The samplers beyond top_k and top_p, whose fields llama.cpp's own server names and which all APIs here share.

Owns their defaults, which are llama.cpp's. Must not know any other field.
"""

from engine import AdaptiveP, Dry, DynamicTemperature, Mirostat, Xtc
from handlers.wire.nullable import or_default
from handlers.wire.types.ollama import ModelOptions
from handlers.wire.types.openai import CreateChatCompletionRequest, CreateCompletionRequest, CreateResponse

SamplerFields = CreateChatCompletionRequest | CreateCompletionRequest | CreateResponse | ModelOptions


def mirostat(fields: SamplerFields) -> Mirostat | None:
    """None where it is off, as below."""
    version = fields.get("mirostat")
    if not version:
        return None
    tau, eta = or_default(fields.get("mirostat_tau"), 5.0), or_default(fields.get("mirostat_eta"), 0.1)
    return Mirostat(version=version, tau=tau, eta=eta)


def dry(fields: SamplerFields) -> Dry | None:
    """DRY's repetition penalty."""
    multiplier = fields.get("dry_multiplier")
    if not multiplier:
        return None
    default = Dry(multiplier=multiplier)
    return Dry(
        multiplier=multiplier,
        base=or_default(fields.get("dry_base"), default.base),
        allowed_length=or_default(fields.get("dry_allowed_length"), default.allowed_length),
        last_n=or_default(fields.get("dry_penalty_last_n"), default.last_n),
        sequence_breakers=tuple(or_default(fields.get("dry_sequence_breakers"), default.sequence_breakers)),
    )


def xtc(fields: SamplerFields) -> Xtc | None:
    """Exclusion of top choices."""
    probability = fields.get("xtc_probability")
    if not probability:
        return None
    return Xtc(probability=probability, threshold=or_default(fields.get("xtc_threshold"), 0.1))


def dynamic_temperature(fields: SamplerFields) -> DynamicTemperature | None:
    """A temperature that follows how open the next token is."""
    reach = fields.get("dynatemp_range")
    if not reach:
        return None
    return DynamicTemperature(range=reach, exponent=or_default(fields.get("dynatemp_exponent"), 1.0))


def adaptive_p(fields: SamplerFields) -> AdaptiveP | None:
    """Draws near a target probability."""
    target = or_default(fields.get("adaptive_target"), -1.0)
    if target < 0:
        return None
    return AdaptiveP(target=target, decay=or_default(fields.get("adaptive_decay"), 0.9))


def order(fields: SamplerFields) -> tuple[str, ...] | None:
    """Which samplers take part, in which order; None: all, in llama.cpp's."""
    names = fields.get("samplers")
    return None if names is None else tuple(names)
