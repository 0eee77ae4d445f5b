"""Go's text/template as far as Ollama's prompts use it: lexer, parser, evaluator, and the data that Ollama gives it.

Pure text, bounded by the same meter as the Jinja sandbox. Must not know models or requests.
"""

from engine.chat.prompts.go_template.dialect import is_go_template
from engine.chat.prompts.go_template.template import GoTemplate

__all__ = ["GoTemplate", "is_go_template"]
