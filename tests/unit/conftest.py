"""How properties are tried: without a deadline for a single example, since other programs share the machine."""

from hypothesis import settings

settings.register_profile("trueline", deadline=None)
settings.load_profile("trueline")
