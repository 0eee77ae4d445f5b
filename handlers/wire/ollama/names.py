"""Model names as Ollama shows them. Must not know which models exist."""


def tagged(name: str) -> str:
    """`name` with the tag `latest` where it has none. What stands before the last `/` is no place for a tag (a port may be)."""
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
