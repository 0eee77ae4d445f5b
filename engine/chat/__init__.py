"""Conversations as text: prompts out of a model's chat template, and thinking, content and tool calls back out of its answer.

Pure text. `prompts` makes the one; `answers` reads the other, with `tool_formats`, `grammars` and `reader`.
"""
