"""A model's own chat template: conversation in, prompt out.

Owns what a template is given and whose fault it is when it fails. How it is kept within bounds is the sandbox's business; must not know
models, tokens or requests.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from engine.chat.answers.reasoning import reasoning_format
from engine.chat.prompts.meter import OutOfBounds
from engine.chat.prompts.sandbox import Sandbox, metered
from engine.chat.prompts.template_functions import bounded_texts, check_format, text_of, to_json
from engine.request import JsonObject

_MAX_SOURCE_CHARACTERS = 1 << 18
_MAX_COMPLAINT_CHARACTERS = 500
_RESERVED = ("messages", "tools")
_THINKING_SWITCHES = frozenset(("enable_thinking", "thinking", "reasoning_effort"))
_REASONING_NAMES = frozenset(("reasoning", "thought", "thoughts", "tool_plan"))


class TemplateError(Exception):
    """The template is broken or out of bounds: the model's fault, not the caller's."""


class OutOfTemplateBounds(TemplateError):
    """It asks for more time or room than a prompt can need."""


class TemplateRefusal(Exception):
    """The template itself refused the conversation by `raise_exception`; the message is its own."""


def local_time() -> datetime:
    """Now, in this machine's time zone."""
    return datetime.now().astimezone()


class ChatTemplate:
    """A compiled template; may be rendered by several threads at once.

    `variables`: the names that it reads.
    `supports_tools`, `supports_documents`: it looks at those it is given. `supports_thinking`: it has a switch for reasoning, or marks it.
    `knows_developer`: it tells that role from others. `reasoning_names`: what it calls the reasoning of a message, where that is not
    `reasoning_content`.
    """

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        limit_seconds: float = 2.0,
        clock: Callable[[], datetime] = local_time,
    ) -> None:
        """`limit_seconds` bounds the processor time of compiling, and of each rendering. Raises TemplateError on a syntax error."""
        if len(source) > _MAX_SOURCE_CHARACTERS:
            raise TemplateError(f"it is longer than {_MAX_SOURCE_CHARACTERS:,} characters")
        self._limit_seconds = limit_seconds
        self._clock = clock
        self._special_tokens = {"bos_token": bos_token, "eos_token": eos_token}
        sandbox = Sandbox()
        sandbox.globals |= {"raise_exception": _raise_exception, "strftime_now": _strftime(clock)}
        with _failures(), metered(limit_seconds):
            tree, self._template = sandbox.compile_metered(source)
        names = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
        self.variables = frozenset(names)
        self._is_given_functions = "functions" in names
        self.supports_tools = "tools" in names or self._is_given_functions
        self.supports_documents = "documents" in names
        self.supports_thinking = bool(names & _THINKING_SWITCHES) or reasoning_format(source) is not None
        members = _member_names(tree)
        self.knows_developer = any(node.value == "developer" for node in tree.find_all(nodes.Const))
        own_names = () if "reasoning_content" in members else members.intersection(_REASONING_NAMES)
        self.reasoning_names = frozenset(("thinking", *own_names))

    def render(
        self,
        messages: Sequence[JsonObject],
        tools: Sequence[JsonObject] | None = None,
        /,
        *,
        add_generation_prompt: bool = True,
        **kwargs: Any,
    ) -> str:
        """The prompt for a conversation. `kwargs` are further variables for the template, which may ignore them.

        Raises TemplateRefusal if the template refuses the conversation or `kwargs` would replace it, TemplateError if it fails.
        """
        for name in _RESERVED:
            if name in kwargs:
                raise TemplateRefusal(f"{name!r} cannot be given as a variable")
        variables = {
            **self._special_tokens,
            **self._for_functions(tools or ()),
            "documents": None,
            **kwargs,
            "messages": list(messages),
            "tools": None if tools is None else list(tools),
            "add_generation_prompt": add_generation_prompt,
        }
        with _failures(), metered(self._limit_seconds):
            return _of_characters("".join(bounded_texts(self._template.generate(variables))))

    def _for_functions(self, tools: Sequence[JsonObject]) -> dict[str, str]:
        """Firefunction's template has variables of its own for the tools and the time, in the form that its model card gives."""
        if not self._is_given_functions:
            return {}
        functions = [tool["function"] for tool in tools]
        return {"functions": to_json(functions, indent=4), "datetime": self._clock().strftime("%Y-%m-%d %H:%M:%S %Z")}


def _of_characters(text: str) -> str:
    """The text, unless half a pair of surrogates stands in it, which no tokenizer takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise TemplateError(f"it writes {text[error.start]!r}, which is no character") from error
    return text


def _member_names(tree: nodes.Template) -> set[str]:
    """What the template reads of messages and other objects, as `.name`, `['name']` or `get('name')`."""
    attributes = {node.attr for node in tree.find_all(nodes.Getattr)}
    return attributes | {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}


def _raise_exception(message: Any) -> None:
    raise TemplateRefusal(text_of(message)[:_MAX_COMPLAINT_CHARACTERS])


def _strftime(clock: Callable[[], datetime]) -> Callable[[str], str]:
    def strftime_now(pattern: str) -> str:
        check_format(pattern, ())
        return clock().strftime(pattern)

    return strftime_now


@contextmanager
def _failures() -> Iterator[None]:
    """Whatever a template's code can raise, as a TemplateError; its refusals as they are."""
    try:
        yield
    except (TemplateRefusal, TemplateError):
        raise
    except TemplateSyntaxError as error:
        raise TemplateError(f"line {error.lineno}: {error.message}") from error
    except OutOfBounds as error:
        raise OutOfTemplateBounds(str(error)) from error
    except RecursionError as error:
        raise TemplateError("it is nested, or calls itself, too deep") from error
    except Exception as error:
        raise TemplateError(f"{type(error).__name__}: {error}"[:_MAX_COMPLAINT_CHARACTERS]) from error
