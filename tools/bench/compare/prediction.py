"""The row of repeated text: an answer that is known but for a few words, with and without the prediction saying so.

Must not know what the figures are held against. The model is one whose greedy answer is long, never repeats itself, and does not hang on
rounding: see `tools/bench_model`'s counting shape.
"""

import time
from typing import Any

from tools.bench.compare.measures import GREEDY, RequestFailed, Session
from tools.bench.compare.verdict import Figures
from tools.bench.record import Record
from tools.bench.workload import JsonObject, text_of

_ANSWER_TOKENS = 384
_WORDS_BETWEEN_EDITS = 48


async def predicted_text(session: Session) -> Figures:
    """Tokens per second of one client, greedy: plainly, and with a prediction in which every 48th word is another."""
    plain, predicted = [], []
    for number in range(session.repetitions(2)):
        prompt = text_of(session.scale.words(108), f"edit {session.round_number}/{number}")
        answer = await _chat(session, prompt)
        again = await _chat(session, prompt, edited(answer.text))
        if again.text != answer.text:
            raise RequestFailed("the answer with a prediction is another than without")
        plain.append(_tokens_per_second(answer))
        predicted.append(_tokens_per_second(again))
        session.details[f"accepted tokens {number}"] = again.accepted_prediction_tokens
    return {"plain": sum(plain) / len(plain), "predicted": sum(predicted) / len(predicted)}


def edited(text: str) -> str:
    """The text with some words replaced by one that is not in it."""
    words = text.split(" ")
    for position in range(_WORDS_BETWEEN_EDITS // 2, len(words), _WORDS_BETWEEN_EDITS):
        words[position] = "EDITED"
    return " ".join(words)


async def _chat(session: Session, prompt: str, prediction: str | None = None) -> Record:
    body: JsonObject = {
        "model": session.model,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": _ANSWER_TOKENS,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
        **GREEDY,
    }
    if prediction is not None:
        content: dict[str, Any] = {"type": "content", "content": prediction}
        body["prediction"] = content
    record = await session.client.chat(body, Record(time.perf_counter()))
    record.finish()
    if record.error:
        raise RequestFailed(record.error)
    return record


def _tokens_per_second(record: Record) -> float:
    """Over the time from the first piece of the answer to its end: the prompt is not what is compared."""
    return record.completion_tokens / (record.ended - record.piece_times[0])
