"""Developer commands: checks, generation, benchmarks, training of the demo model. None of it ships with the server."""
