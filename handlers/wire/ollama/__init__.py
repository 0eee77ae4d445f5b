"""Ollama's JSON to and from the engine's values."""
