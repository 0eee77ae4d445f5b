"""A load generator for OpenAI-compatible servers, and benchmarks of this one: `python -m tools.bench --help`."""
