"""Makes a template of its text, in whichever of the two syntaxes it is. Must not know models or requests."""

from collections.abc import Callable
from datetime import datetime

from engine.chat.prompts.go_template import GoTemplate, is_go_template
from engine.chat.prompts.prompt_template import PromptTemplate
from engine.chat.prompts.template import local_time

ModelTemplate = PromptTemplate | GoTemplate
"""What a model's conversations are written by."""


def model_template(
    source: str, *, bos_token: str = "", eos_token: str = "", clock: Callable[[], datetime] = local_time
) -> ModelTemplate:
    """A model's own template. Raises TemplateError if it is broken."""
    if is_go_template(source):
        return GoTemplate(source, clock=clock)
    return PromptTemplate(source, bos_token=bos_token, eos_token=eos_token, clock=clock)
