"""Owns how the prompt part of a step is shared out among the prompts that are being computed.

Equally among tenants. Of one tenant's prompts the one with least left goes first, which makes the mean time to the first token the least
there can be; a part is kept for the oldest, so that a stream of short prompts cannot keep a long one from ever ending. Must not know
sequences.
"""

from collections.abc import Sequence
from typing import NamedTuple

_OLDEST_PART = 4
"""One token of so many goes to the prompt that came first."""


class PromptShare(NamedTuple):
    """A prompt being computed: for whom, and how many of its tokens are left."""

    tenant: str
    left_tokens: int


def share_out(room_tokens: int, prompts: Sequence[PromptShare]) -> list[int]:
    """How many tokens of each prompt, oldest first, the step takes; all of the room is used where there is that much left."""
    given = [0] * len(prompts)
    tenants = list(dict.fromkeys(prompt.tenant for prompt in prompts))
    # The tenant with least to do first: what it does not need raises the others' shares.
    tenants.sort(key=lambda tenant: sum(prompt.left_tokens for prompt in prompts if prompt.tenant == tenant))
    for count, tenant in enumerate(tenants):
        own = [number for number, prompt in enumerate(prompts) if prompt.tenant == tenant]
        share = room_tokens // (len(tenants) - count)
        room_tokens -= _share_out_own(share, own, prompts, given)
    return given


def _share_out_own(room_tokens: int, own: list[int], prompts: Sequence[PromptShare], given: list[int]) -> int:
    """Give out one tenant's share; what of it was needed."""
    oldest = own[0]
    given[oldest] = min(room_tokens // _OLDEST_PART, prompts[oldest].left_tokens)
    spent = given[oldest]
    for number in sorted(own, key=lambda number: prompts[number].left_tokens):
        more = min(room_tokens - spent, prompts[number].left_tokens - given[number])
        given[number] += more
        spent += more
    return spent
