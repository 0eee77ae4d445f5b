"""Lark grammars, written and rewritten: what a model may write, as text for llguidance. Pure text."""
