"""Conversation in, prompt out: a model's template with all that it takes for any conversation to pass through it.

Owns the order of things: forms, folds, rendering, and how an assistant's message that is to be continued ends. Must not know models,
tokens or requests.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from engine.chat.prompts.begun_answer import AnswerBeginnings
from engine.chat.prompts.call_order import in_call_order
from engine.chat.prompts.folding import folds, text_of_parts
from engine.chat.prompts.rehearsal import NotShown, Plan, Rehearsals, is_named
from engine.chat.prompts.taught_tools import call_form, with_taught_tools
from engine.chat.prompts.template import ChatTemplate, OutOfTemplateBounds, TemplateError, TemplateRefusal, local_time
from engine.chat.prompts.template_forms import PROBE_TOOL, TemplateForms, find_forms, in_form
from engine.chat.prompts.tool_shapes import simpler
from engine.request import JsonObject

_CUT = "CONTINUE_HERE_qzc "
_QUESTION: JsonObject = {"role": "user", "content": "probe"}


class Given(NamedTuple):
    """What is to be rendered."""

    messages: list[JsonObject]
    tools: Sequence[JsonObject]
    variables: JsonObject


class PromptTemplate:
    """One template with what was found out about it; may be used by several threads at once."""

    def __init__(
        self, source: str, *, bos_token: str = "", eos_token: str = "", clock: Callable[[], datetime] = local_time
    ) -> None:
        """Raises TemplateError if it is broken."""
        self.source = source
        self._template = ChatTemplate(source, bos_token=bos_token, eos_token=eos_token, clock=clock)
        self.supports_tools = self._template.supports_tools
        self.supports_thinking = self._template.supports_thinking
        self.supports_documents = self._template.supports_documents
        self._beginnings = AnswerBeginnings(source)
        self._rehearsals = Rehearsals(folds(source))

    @property
    def text(self) -> str:
        """All that it tells its model, the form of calls included where that has to be told in words."""
        return self.source if self.supports_tools else f"{self.source}\n{call_form(self.source)}"

    @cached_property
    def _forms(self) -> TemplateForms:
        """A template that went out of bounds is not tried again: each time costs as much as it may."""
        is_hopeless = False

        def probe(messages: list[JsonObject], tools: Sequence[JsonObject] | None) -> str | None:
            nonlocal is_hopeless
            if is_hopeless:
                return None
            try:
                return self._template.render(messages, tools)
            except (TemplateError, TemplateRefusal) as error:
                is_hopeless = isinstance(error, OutOfTemplateBounds)
                return None

        return find_forms(probe)

    @cached_property
    def _turn_end(self) -> str:
        """What the template writes behind an assistant's text, as far as it shows a plain one."""
        answered = [_QUESTION, {"role": "assistant", "content": _CUT}]
        try:
            prompt = self._template.render(answered, self._forms.no_tools, add_generation_prompt=False)
        except (TemplateError, TemplateRefusal):
            return ""
        return prompt.rpartition(_CUT.rstrip())[2].removeprefix(" ")

    def render(
        self,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] = (),
        variables: JsonObject | None = None,
        *,
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
    ) -> str:
        """The prompt, with every message's text in it, and the tools, in words where the template has no place for them.
        `continue_final_message`: it ends within the last message, an assistant's.

        Raises TemplateRefusal if the template can't be made to show the conversation, TemplateError if it can show none.
        """
        if tools and not self.supports_tools:
            messages, tools = with_taught_tools(messages, tools, self.source), ()
        try:
            given = Given(self._words(in_call_order(messages)), tools, variables or {})
            if continue_final_message:
                return self._continued(given)
            return self._prompt(given, opens_answer=add_generation_prompt)
        except RecursionError as error:
            raise TemplateRefusal("the conversation has values that are nested too deep") from error

    def unused(
        self, messages: Sequence[JsonObject], tools: Sequence[JsonObject] = (), variables: JsonObject | None = None
    ) -> tuple[str, ...]:
        """The paths of what no prompt shows of these: variables that the template does not read, and names of messages."""
        unread = (f"template_kwargs.{name}" for name in variables or {} if name not in self._template.variables)
        if not any(map(is_named, messages)):
            return tuple(unread)
        given = Given(self._words(messages), tools if self.supports_tools else (), variables or {})
        nameless: tuple[int, ...] = ()
        with suppress(NotShown):  # where an answer is continued, only its beginning need be shown
            nameless = self._plan(given, opens_answer=False).nameless
        return (*unread, *(f"messages[{number}].name" for number in nameless))

    def _words(self, messages: Sequence[JsonObject]) -> list[JsonObject]:
        return [self._in_own_words(message) for message in in_form(messages, self._forms)]

    def _in_own_words(self, message: JsonObject) -> JsonObject:
        """The names that this template has for a role and for reasoning."""
        if message["role"] == "developer" and not self._template.knows_developer:
            message = {**message, "role": "system"}
        if thoughts := message.get("reasoning_content"):
            message = {**dict.fromkeys(self._template.reasoning_names, thoughts), **message}
        return message

    def _prompt(self, given: Given, *, opens_answer: bool) -> str:
        messages = given.messages
        with self._blaming_the_request():
            for fold in self._plan(given, opens_answer=opens_answer).folds:
                messages = fold.apply(messages)
            prompt = self._render_simply(given._replace(messages=messages), opens_answer)
            if opens_answer and messages and messages[-1]["role"] == "tool":
                prompt += self._opening_left_out(prompt, given.variables)
            return prompt

    def _opening_left_out(self, prompt: str, variables: JsonObject) -> str:
        """What opens an answer, where the template has closed the assistant's turn behind results: Gemma 4's does if text stood beside the
        calls."""
        if not self._turn_end.strip() or not prompt.endswith(self._turn_end):
            return ""
        asked = Given([_QUESTION], (), variables)
        asked_only, opened = (self._render(asked, opens_answer) for opens_answer in (False, True))
        return opened.removeprefix(asked_only) if opened.startswith(asked_only) else ""

    def _plan(self, given: Given, *, opens_answer: bool) -> Plan:
        probe = given._replace(tools=[PROBE_TOOL] if given.tools else ())
        settings = [bool(given.tools), opens_answer, given.variables]
        return self._rehearsals.plan(
            given.messages, settings, lambda skeleton: self._render(probe._replace(messages=skeleton), opens_answer)
        )

    def _render_simply(self, given: Given, opens_answer: bool) -> str:
        """With the tools as they are, or described as simply as this template needs it."""
        try:
            return self._render(given, opens_answer)
        except OutOfTemplateBounds:
            raise
        except TemplateError:
            for tools in simpler(given.tools):
                with suppress(TemplateError):
                    return self._render(given._replace(tools=tools), opens_answer)
            raise

    def _render(self, given: Given, opens_answer: bool) -> str:
        tools = list(given.tools) or self._forms.no_tools
        return self._template.render(given.messages, tools, add_generation_prompt=opens_answer, **given.variables)

    @contextmanager
    def _blaming_the_request(self) -> Iterator[None]:
        """A template that can show some conversation but not this one refuses it, however it says so: also one that this makes too much
        of."""
        try:
            yield
        except (NotShown, TemplateError) as error:
            if self._forms.works:
                raise TemplateRefusal(str(error)) from error
            raise TemplateError(str(error)) from error

    def _continued(self, given: Given) -> str:
        """As Hugging Face continues: the conversation up to where the last message's text ends. Where the template would alter that text,
        leave out its thoughts, or close with no assistant, the message is put behind the opening of an answer."""
        last = given.messages[-1]
        text, thoughts = text_of_parts(last.get("content")) or "", last.get("reasoning_content") or ""
        if text.strip() and not self._beginnings.is_thought(text):
            cut = self._cut_prompt(given, text)
            if cut is not None and self._beginnings.is_told(cut, thoughts):
                return cut
        opening = self._prompt(given._replace(messages=given.messages[:-1]), opens_answer=True)
        return self._beginnings.behind(opening, text, thoughts)

    def _cut_prompt(self, given: Given, text: str) -> str | None:
        marked = {**given.messages[-1], "content": text + _CUT}
        try:
            prompt = self._prompt(given._replace(messages=[*given.messages[:-1], marked]), opens_answer=False)
        except TemplateRefusal:
            return None
        place = prompt.rfind(_CUT.rstrip())
        if place < 0:
            return None
        head = prompt[:place] if prompt.startswith(_CUT, place) else prompt[:place].rstrip()
        return head if head.rstrip().endswith(text.strip()) else None
