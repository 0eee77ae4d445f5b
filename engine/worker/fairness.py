"""Owns how much work was done for each tenant, so that whoever had least goes first: many requests get no larger a share than one.

A virtual token counter for each (Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024). Must not know sequences or slots.
"""

from collections.abc import Iterable

ANSWER_TOKEN_COST = 2
"""A token of an answer costs about as much time as two of a prompt, measured with eight answers in a step on a processor."""


class FairShare:
    """What was done for each tenant, in prompt tokens."""

    def __init__(self) -> None:
        self._done: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"FairShare({len(self._done)} tenants)"

    def of(self, tenant: str) -> int:
        """What was done for this tenant."""
        return self._done.get(tenant, 0)

    def charge(self, tenant: str, cost: int) -> None:
        """So much more is done for it."""
        self._done[tenant] = self.of(tenant) + cost

    def join(self, tenant: str, others: Iterable[str]) -> None:
        """It comes in beside `others`, the tenants with unfinished work. Time spent away earns nothing; who is alone starts anew."""
        present = set(others)
        floor = min(map(self.of, present), default=0)
        self._done = {name: done for name, done in self._done.items() if name in present or (present and done > floor)}
        self._done[tenant] = max(self.of(tenant), floor)
