"""Conversations as prompts: chat templates in Jinja and in Go, and what is given to them. Pure text."""
