"""The comparison with llama.cpp's own server, row by row, in one run: `python -m tools.bench.compare --help`."""
