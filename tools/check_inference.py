"""Does the llama.cpp that was installed compute on this processor? `python -m tools.check_inference`.

Loads the bundled model in a worker process, as the server does, and computes one vector; exit code 1 with one line if that fails.
"""

import asyncio
import sys

from engine import BUNDLED_MODEL, EmbeddingRequest, Engine, EngineConfig, EngineError


async def check() -> None:
    """Embed a word. EngineError if the worker dies of it."""
    engine = Engine(EngineConfig(models=((None, BUNDLED_MODEL),)))
    await engine.start()
    try:
        await engine.embed(EmbeddingRequest(model=engine.models()[0].name, inputs=("hello",)))
    finally:
        await engine.aclose()


def main() -> int:
    """The exit code."""
    try:
        asyncio.run(check())
    except EngineError as error:
        print(f"llama.cpp does not compute here: {error.message}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
