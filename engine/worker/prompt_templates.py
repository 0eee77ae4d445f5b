"""Owns the templates that conversations with one model are written by: the model's own, and those that requests bring along.

What is wrong with a template is the model's fault or the caller's, and said so. Must not know tokens.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from engine.chat.prompts.go_template import GoTemplate, is_go_template
from engine.chat.prompts.prompt_template import PromptTemplate
from engine.chat.prompts.template import ChatTemplate, TemplateError, TemplateRefusal
from engine.chat.prompts.templates import ModelTemplate, model_template
from engine.chat.prompts.thinking_switch import thinking_variables
from engine.errors import EngineError
from engine.request import ChatPrompt

_DEFAULT, _TOOL_USE, _RAG = "default", "tool_use", "rag"
_MAX_REMEMBERED = 16
_LIMIT_SECONDS = 0.5
"""Of processor time, for a request's own template: it has one short conversation to write, and whoever sends it pays for nothing else."""
_MOST_CHARACTERS = 1 << 15
"""Of a request's own template in Jinja, which takes so long to compile, and nothing can interrupt that."""
_FIELDS = {"system": "system", "user": "prompt"}
"""What a request that brings its own template calls the messages of these roles."""
_SUFFIX = re.compile(r"\bsuffix\b")


class PromptTemplates:
    """`source`: the model's own template, or its family's; `named`: others of its file; `bos_token` and `eos_token` are its tokens' texts.
    For any thread."""

    def __init__(
        self, source: str, named: Mapping[str, str] = MappingProxyType({}), *, bos_token: str, eos_token: str
    ) -> None:
        self._sources = {_DEFAULT: source, **{name: named[name] for name in (_TOOL_USE, _RAG) if name in named}}
        self._bos_token, self._eos_token = bos_token, eos_token
        self._of_request = lru_cache(maxsize=_MAX_REMEMBERED)(self._compile)
        self._own = cache(self._compile_own)

    @property
    def text(self) -> str:
        """All that the model's own templates tell it; what a broken one would."""
        return "\n".join(map(self._text, self._sources))

    def _text(self, name: str) -> str:
        try:
            template = self._own(name)
        except EngineError:
            return self._sources[name]
        return template.text if isinstance(template, PromptTemplate) else self._sources[name]

    @property
    def supports_tools(self) -> bool:
        """Whether one of them shows tools. EngineError template_failed if it is broken, as below."""
        return any(self._own(name).supports_tools for name in self._sources)

    @property
    def supports_thinking(self) -> bool:
        """Whether one of them knows of thinking."""
        return any(self._own(name).supports_thinking for name in self._sources)

    def _chosen(self, prompt: ChatPrompt) -> ModelTemplate:
        """As Hugging Face chooses: where there are tools, the template for their use."""
        wanted = ((_TOOL_USE, prompt.tools), (_RAG, prompt.template_kwargs.get("documents")))
        return self._own(next((name for name, given in wanted if given and name in self._sources), _DEFAULT))

    def _compile_own(self, name: str) -> ModelTemplate:
        try:
            return model_template(self._sources[name], bos_token=self._bos_token, eos_token=self._eos_token)
        except TemplateError as error:
            raise EngineError("template_failed", f"the model's chat template is broken: {error}") from error

    def render(self, prompt: ChatPrompt) -> str:
        """The prompt text of a conversation. EngineError where its template has no place for what is asked, refuses it or fails."""
        if prompt.template is not None:
            return self._rendered_as_asked(prompt, prompt.template)
        template = self._chosen(prompt)
        _require_places(prompt, template, "this model's chat template")
        try:
            return template.render(
                prompt.messages,
                prompt.tools,
                {**thinking_variables(self.text, prompt.reasoning_effort), **prompt.template_kwargs},
                add_generation_prompt=prompt.add_generation_prompt,
                continue_final_message=prompt.continue_final_message,
            )
        except TemplateRefusal as error:
            raise EngineError(
                "invalid_request", f"the model's chat template refuses these messages: {error}", param="messages"
            ) from error
        except TemplateError as error:
            # A Go template's failures are all of one kind; what it can't show of this request only is the request's.
            if isinstance(template, GoTemplate) and template.works:
                message = f"the model's chat template can't show these messages: {error}"
                raise EngineError("invalid_request", message, param="messages") from error
            raise EngineError("template_failed", f"the model's chat template failed: {error}") from error

    def unused(self, prompt: ChatPrompt) -> tuple[str, ...]:
        """The paths of what a rendered prompt shows nothing of, and is not refused for: names, and variables for the template; or what
        a request's own template leaves out."""
        if prompt.template is not None:
            return self._left_out(prompt, prompt.template)
        return self._chosen(prompt).unused(prompt.messages, prompt.tools, prompt.template_kwargs)

    def _left_out(self, prompt: ChatPrompt, source: str) -> tuple[str, ...]:
        shown = self._rendered_as_asked(prompt, source)
        texts = {_FIELDS.get(message["role"]): message["content"] for message in prompt.messages}
        return tuple(
            field for field, text in texts.items() if field and isinstance(text, str) and text.strip() not in shown
        )

    def _rendered_as_asked(self, prompt: ChatPrompt, source: str) -> str:
        """By the request's own template: as it is written, with nothing folded or mended, and nothing of it the model's fault."""
        if prompt.template_kwargs.get("suffix") and not _SUFFIX.search(source.lower()):
            raise EngineError("invalid_request", "the request's template has no place for a suffix", param="suffix")
        try:
            template = self._of_request(source)
            _require_places(prompt, template, "the request's template")
            variables = {**thinking_variables(source, prompt.reasoning_effort), **prompt.template_kwargs}
            if isinstance(template, GoTemplate):
                return template.render(prompt.messages, prompt.tools, variables)
            return template.render(prompt.messages, prompt.tools or None, **variables)
        except (TemplateRefusal, TemplateError) as error:
            raise EngineError(
                "invalid_request", f"the request's template cannot be used: {error}", param="template"
            ) from error

    def _compile(self, source: str) -> ChatTemplate | GoTemplate:
        if is_go_template(source):
            return GoTemplate(source, limit_seconds=_LIMIT_SECONDS)
        if len(source) > _MOST_CHARACTERS:
            raise TemplateError(f"it is longer than {_MOST_CHARACTERS:,} characters")
        return ChatTemplate(source, bos_token=self._bos_token, eos_token=self._eos_token, limit_seconds=_LIMIT_SECONDS)


def _require_places(prompt: ChatPrompt, template: ModelTemplate | ChatTemplate, whose: str) -> None:
    """EngineError where the template would pass over something."""
    shows_tools = template.supports_tools or isinstance(template, PromptTemplate)  # which tells of them in words
    wanted = (
        ("tools", prompt.tools, shows_tools),
        ("documents", prompt.template_kwargs.get("documents"), template.supports_documents),
    )
    for name, given, has_place in wanted:
        if given and not has_place:
            raise EngineError("not_supported_by_model", f"{whose} has no place for {name}", param=name)
