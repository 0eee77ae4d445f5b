"""Small models of random weights that see and hear, and what they are shown."""

import io
import struct
import wave

import numpy as np
from PIL import Image

from engine.request import ChatPrompt, Media
from tests.process.worker.inprocess import load, request
from tools.bench_model.projectors import PROJECTORS

SEEING = {
    "vision": "test-attention",
    "vision-pooled": "test-attention",
    "vision-mrope": "test-mrope",
    "window": "test-window",
    "hybrid": "test-hybrid",
}
"""Each way of reading a picture with a model that has it."""


def load_seeing(files, kind, **params):
    projector = files / f"mmproj-{kind if kind in PROJECTORS else 'vision'}.gguf"
    own = {"ctx_size_tokens": 1024, "batch_tokens": 64, "parallel": 4, "projector": str(projector)}
    return load(files / f"{SEEING.get(kind, 'test-attention')}.gguf", **{**own, **params})


def picture(seed, size=(150, 100), form="PNG"):
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(file, form)
    return file.getvalue()


def sound(seed, seconds=1.0, rate=8000):
    samples = np.random.default_rng(seed).normal(0, 3000, int(8000 * seconds)).astype(np.int16)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, rate, len(samples), "NONE", ""))
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def float_sound(sample):
    """A second of WAV in floating point whose samples are all the same."""
    samples = np.full(8000, sample, dtype="<f4").tobytes()
    form = struct.pack("<HHIIHH", 3, 1, 8000, 32000, 4, 32)
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body for name, body in ((b"fmt ", form), (b"data", samples))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def seen(content, kind="image"):
    return Media(kind=kind, content=content, where="messages[0].content[1]")


def ask(*parts, before=(), **changes):
    """A user's message of texts and media."""
    said = tuple(part for part in parts if isinstance(part, Media))
    content = [{"type": "text", "text": part} if isinstance(part, str) else {"type": part.kind} for part in parts]
    messages = (*before, {"role": "user", "content": content if said else "\n".join(parts)})
    prompt = ChatPrompt(messages=messages, media=said)
    return request("", **{"prompt": prompt, "logprobs": 2, "ignore_eos": True, **changes})
