"""Conversations as text: prompts out of a model's chat template, tool calls and content back out of its answer. Pure text."""
