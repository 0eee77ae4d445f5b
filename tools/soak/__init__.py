"""Load a server with everything at once, far beyond its capacity, then look for what it lost: `python -m tools.soak --help`."""
