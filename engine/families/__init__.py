"""What is known of families of models: how a conversation is written for them, what ends a turn, how they are best sampled and stored.

Owns the records (`records/*.toml`) and how a model's family is told from what its file says (`signs.toml`). Must not know where a file
is, how it is read, or how a template is rendered.
"""

from engine.families.recognition import MARKS, Facts, Recognition, recognise
from engine.families.record import FAMILIES, LAST_RESORT, Family, Sampling

__all__ = ["FAMILIES", "LAST_RESORT", "MARKS", "Facts", "Family", "Recognition", "Sampling", "recognise"]
