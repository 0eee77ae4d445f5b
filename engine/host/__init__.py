"""The server process's side of the engine: which models there are, which workers live, and the wire to each."""
