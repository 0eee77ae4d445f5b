"""Ends a text at the first stop string in it, however the text is cut into pieces.

Owns the search and what it holds back. Must not know tokens or requests.

The search is Aho and Corasick's automaton: one pass over the text for any number of stop strings, and its depth is exactly the
length of the longest text so far that may yet become a stop string.
"""

from collections import deque
from collections.abc import Sequence


class StopStrings:
    """Watches one answer. The stop string that is complete first ends it; of several complete at once, the longest counts."""

    def __init__(self, stops: Sequence[str]) -> None:
        """Raises ValueError on an empty stop string: it would end every answer before it begins."""
        if "" in stops:
            raise ValueError("a stop string must have at least one character")
        self._automaton = _Automaton(stops)
        self._state = 0
        self._held = ""
        self._hit = False

    def copy(self) -> "StopStrings":
        """A watcher of another text for the same stop strings, which share what was made of them."""
        another = StopStrings(())
        another._automaton = self._automaton
        return another

    def push(self, text: str) -> tuple[str, bool]:
        """The text that is safe to emit, and whether a stop string has been met. After that, all text is dropped."""
        if self._hit:
            return "", True
        pending = self._held + text
        match_start = self._search(text, len(self._held))
        self._hit = match_start is not None
        safe = len(pending) - self._automaton.depth[self._state] if match_start is None else match_start
        self._held = "" if self._hit else pending[safe:]
        return pending[:safe], self._hit

    def flush(self) -> str:
        """The held text, now that no stop string can come of it."""
        held, self._held = self._held, ""
        return held

    def _search(self, text: str, offset: int) -> int | None:
        """Advances over `text`, which begins at `offset` of the pending text; where the first complete stop string starts."""
        step, match_length = self._automaton.step, self._automaton.match_length
        state = self._state
        for position, character in enumerate(text, offset + 1):
            state = step(state, character)
            if match_length[state]:
                return position - match_length[state]
        self._state = state
        return None


class _Automaton:
    """States are prefixes of the stop strings, 0 the empty one. For each: `depth` is its length, `match_length` the length of
    the longest stop string that it ends with (0: none)."""

    def __init__(self, stops: Sequence[str]) -> None:
        self.depth = [0]
        self.match_length = [0]
        self._next: list[dict[str, int]] = [{}]
        self._fallback = [0]
        for stop in stops:
            self._insert(stop)
        self._link()

    def step(self, state: int, character: str) -> int:
        """The longest prefix of a stop string that the text ends with, once `character` has followed `state`."""
        while state and character not in self._next[state]:
            state = self._fallback[state]
        return self._next[state].get(character, 0)

    def _insert(self, stop: str) -> None:
        state = 0
        for depth, character in enumerate(stop, 1):
            if character not in self._next[state]:
                self._next[state][character] = len(self._next)
                self._next.append({})
                self._fallback.append(0)
                self.depth.append(depth)
                self.match_length.append(0)
            state = self._next[state][character]
        self.match_length[state] = len(stop)

    def _link(self) -> None:
        """Gives each state its longest proper suffix that is a state too, shortest states first."""
        queue = deque(self._next[0].values())
        while queue:
            state = queue.popleft()
            for character, child in self._next[state].items():
                self._fallback[child] = self.step(self._fallback[state], character)
                self.match_length[child] = self.match_length[child] or self.match_length[self._fallback[child]]
                queue.append(child)
