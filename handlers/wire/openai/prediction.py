"""OpenAI's predicted output. Must not know what becomes of it."""

from handlers.wire.types.openai import PredictionContent


def parse_prediction(prediction: PredictionContent | None) -> str | None:
    """The predicted text; parts are one text without anything between."""
    if prediction is None:
        return None
    content = prediction["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
