"""How properties are tried: without a deadline for a single example, since other programs share the machine; more often in `make fuzz`."""

from hypothesis import settings

settings.register_profile("trueline", deadline=None)
settings.load_profile("trueline")


def pytest_configure(config):
    if examples := config.getoption("--fuzz-examples"):
        settings.register_profile("fuzz", deadline=None, max_examples=examples)
        settings.load_profile("fuzz")
