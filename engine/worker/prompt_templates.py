"""Owns the templates that conversations with one model are written by: the model's own, and those that requests bring along.

What is wrong with a template is the model's fault or the caller's, and said so. Must not know tokens.
"""

import re
from functools import cached_property, lru_cache

from engine.chat.go_template import GoTemplate, is_go_template
from engine.chat.prompt_template import PromptTemplate
from engine.chat.template import TemplateError, TemplateRefusal
from engine.errors import EngineError
from engine.request import ChatPrompt

_MAX_REMEMBERED = 16
_SUFFIX = re.compile(r"\bsuffix\b")


class PromptTemplates:
    """`source`: the model's own template, or its family's; `bos_token` and `eos_token` are its tokens' texts. For any thread."""

    def __init__(self, source: str, *, bos_token: str, eos_token: str) -> None:
        self._source = source
        self._bos_token, self._eos_token = bos_token, eos_token
        self._of_requests = lru_cache(maxsize=_MAX_REMEMBERED)(self._compiled)

    @cached_property
    def own(self) -> PromptTemplate | GoTemplate:
        """The model's own. EngineError template_failed if it is broken."""
        try:
            return self._compiled(self._source)
        except TemplateError as error:
            raise EngineError("template_failed", f"the model's chat template is broken: {error}") from error

    def render(self, prompt: ChatPrompt) -> str:
        """The prompt text of a conversation. EngineError where its template has no place for what is asked, refuses it or fails."""
        if prompt.template is not None:
            return self._rendered_as_asked(prompt, prompt.template)
        _require_places(prompt, self.own, "this model's chat template")
        try:
            return _rendered(prompt, self.own)
        except TemplateRefusal as error:
            raise EngineError(
                "invalid_request", f"the model's chat template refuses these messages: {error}", param="messages"
            ) from error
        except TemplateError as error:
            raise EngineError("template_failed", f"the model's chat template failed: {error}") from error

    def _rendered_as_asked(self, prompt: ChatPrompt, source: str) -> str:
        """By the request's own template, of which nothing is the model's fault."""
        if prompt.template_kwargs.get("suffix") and not _SUFFIX.search(source.lower()):
            raise EngineError("invalid_request", "the request's template has no place for a suffix", param="suffix")
        try:
            template = self._of_requests(source)
            _require_places(prompt, template, "the request's template")
            return _rendered(prompt, template)
        except (TemplateRefusal, TemplateError) as error:
            raise EngineError(
                "invalid_request", f"the request's template cannot be used: {error}", param="template"
            ) from error

    def _compiled(self, source: str) -> PromptTemplate | GoTemplate:
        if is_go_template(source):
            return GoTemplate(source)
        return PromptTemplate(source, bos_token=self._bos_token, eos_token=self._eos_token)


def _require_places(prompt: ChatPrompt, template: PromptTemplate | GoTemplate, whose: str) -> None:
    """EngineError where the template would pass over something."""
    wanted = (
        ("tools", prompt.tools, template.supports_tools),
        ("documents", prompt.template_kwargs.get("documents"), template.supports_documents),
    )
    for name, given, has_place in wanted:
        if given and not has_place:
            raise EngineError("not_supported_by_model", f"{whose} has no place for {name}", param=name)


def _rendered(prompt: ChatPrompt, template: PromptTemplate | GoTemplate) -> str:
    return template.render(
        prompt.messages,
        prompt.tools,
        prompt.template_kwargs,
        add_generation_prompt=prompt.add_generation_prompt,
        continue_final_message=prompt.continue_final_message,
    )
