"""The server process: HTTP in, HTTP out. Stands on the engine's façade; the engine knows nothing of this package."""
