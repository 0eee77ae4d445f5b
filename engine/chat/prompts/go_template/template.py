"""A Go template as Ollama's API and its models have them: conversation in, prompt out.

Owns which of Ollama's ways a template is run by: once over all messages, turn by turn, or around a gap to fill. Renders like a ChatTemplate
and raises what that raises. Must not know models, tokens or requests.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property

from engine.chat.prompts.folding import text_of_parts
from engine.chat.prompts.go_template.conversation import joined, message_records, system_text, tool_records, user_text
from engine.chat.prompts.go_template.evaluator import Evaluator
from engine.chat.prompts.go_template.fault import GoTemplateFault
from engine.chat.prompts.go_template.functions import functions
from engine.chat.prompts.go_template.inspection import names_in, up_to
from engine.chat.prompts.go_template.parser import Parser
from engine.chat.prompts.go_template.syntax import Node
from engine.chat.prompts.go_template.values import Record
from engine.chat.prompts.meter import Meter, OutOfBounds, check_size
from engine.chat.prompts.rehearsal import is_named
from engine.chat.prompts.template import OutOfTemplateBounds, TemplateError, TemplateRefusal, local_time
from engine.request import JsonObject

_MAX_SOURCE_CHARACTERS = 1 << 18
_THINKING_NAMES = frozenset(("Think", "ThinkLevel", "IsThinkSet"))
_KNOWN_VARIABLES = frozenset(("enable_thinking", "reasoning_effort", "suffix"))
_THINKING_MARKS = ("<think>", "</think>")
_EMPTY: JsonObject = {
    "System": "",
    "Prompt": "",
    "Suffix": "",
    "Response": "",
    "Messages": [],
    "Tools": [],
    "Think": False,
    "ThinkLevel": "",
    "IsThinkSet": False,
}
"""All that a template may look at, as it is where a request says nothing of it."""


class GoTemplate:
    """A parsed template; may be rendered by several threads at once. What it looks at says what it supports."""

    def __init__(self, source: str, *, limit_seconds: float = 2.0, clock: Callable[[], datetime] = local_time) -> None:
        """`limit_seconds` bounds the processor time of each rendering. Raises TemplateError where it is broken, or uses what is not
        served here."""
        if len(source) > _MAX_SOURCE_CHARACTERS:
            raise TemplateError(f"it is longer than {_MAX_SOURCE_CHARACTERS:,} characters")
        self._source = source
        self._limit_seconds = limit_seconds
        self._functions = functions(clock)
        with self._failures():
            self._nodes = Parser(source, self._functions).parse()
        self._opening = up_to("Response", self._nodes)
        self._names = frozenset(names_in(self._nodes))
        self.supports_tools = "Tools" in self._names
        self.supports_thinking = bool(self._names & _THINKING_NAMES) or any(mark in source for mark in _THINKING_MARKS)
        self.supports_documents = False

    def render(
        self,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        variables: JsonObject | None = None,
        *,
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
    ) -> str:
        """The prompt for a conversation. Of `variables` it knows `enable_thinking`, `reasoning_effort` and `suffix`, the text behind a gap
        to fill. Where an answer begins, and whether an assistant's last message is gone on with, is the template's own decision: whatever
        the two flags say, it ends before the answer. Raises TemplateError, or TemplateRefusal for messages that are not all text.
        """
        given = variables or {}
        data = _EMPTY | _thinking(given)
        meter = Meter(self._limit_seconds)
        with self._failures():
            shown = [_with_text(message) for message in messages]
            if given.get("suffix"):
                return self._run(meter, data | {"Prompt": user_text(shown), "Suffix": given["suffix"]})
            together = joined(shown)
            data |= {"Tools": tool_records(tools)}
            if "Messages" in self._names:
                return self._run(meter, data | {"Messages": message_records(together), "System": system_text(shown)})
            return self._turns(meter, together, data)

    @cached_property
    def works(self) -> bool:
        """Whether it can show a user's message at all."""
        try:
            self.render([{"role": "user", "content": "probe"}])
        except TemplateError:
            return False
        return True

    def unused(
        self, messages: Sequence[JsonObject], tools: Sequence[JsonObject] = (), variables: JsonObject | None = None
    ) -> tuple[str, ...]:
        """The paths of what no prompt shows of these: other variables than it knows, and names of messages."""
        unread = (f"template_kwargs.{name}" for name in variables or {} if name not in _KNOWN_VARIABLES)
        named = (number for number, message in enumerate(messages) if is_named(message))
        return (*unread, *(f"messages[{number}].name" for number in named))

    def _turns(self, meter: Meter, messages: Sequence[JsonObject], data: JsonObject) -> str:
        """Turn by turn: each is what the system and the user say and what is answered; the last ends before the answer."""
        texts: list[str] = []
        turns = list(_turns_of(messages))
        for number, turn in enumerate(turns, 1):
            is_last = number == len(turns)
            texts.append(self._run(meter, data | turn, self._opening if is_last else self._nodes))
            if "Response" not in self._names:
                texts.append(turn["Response"])
            check_size(sum(map(len, texts)))
        return "".join(texts)

    def _run(self, meter: Meter, data: JsonObject, nodes: tuple[Node, ...] | None = None) -> str:
        return Evaluator(self._functions, meter, Record("request", data)).run(nodes or self._nodes)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except GoTemplateFault as fault:
            raise TemplateError(fault.located(self._source)) from fault
        except OutOfBounds as error:
            raise OutOfTemplateBounds(str(error)) from error
        except RecursionError as error:
            raise TemplateError("it makes values that are nested too deep") from error


def _with_text(message: JsonObject) -> JsonObject:
    content = text_of_parts(message.get("content"))
    if content is not None and not isinstance(content, str):
        raise TemplateRefusal("it takes messages of text only")
    role = "system" if message["role"] == "developer" else message["role"]
    return {**message, "role": role, "content": content or ""}


def _thinking(kwargs: JsonObject) -> JsonObject:
    is_set = kwargs.get("enable_thinking") is not None
    return {
        "Think": bool(kwargs.get("enable_thinking")),
        "ThinkLevel": kwargs.get("reasoning_effort") or "",
        "IsThinkSet": is_set,
    }


def _turns_of(messages: Sequence[JsonObject]) -> Iterator[JsonObject]:
    """What `.System`, `.Prompt` and `.Response` are in each turn; at least one."""
    turn = {"System": "", "Prompt": "", "Response": ""}
    fields = {"system": "System", "user": "Prompt", "tool": "Prompt", "assistant": "Response"}
    order = tuple(turn)
    for message in messages:
        field = fields.get(message["role"], "Prompt")
        if any(turn[later] for later in order[order.index(field) :]):
            yield turn
            turn = dict.fromkeys(order, "")
        turn[field] = message["content"]
    yield turn
