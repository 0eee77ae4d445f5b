"""Log probabilities as both chat APIs show them."""

from engine import Alternative, TokenLogprob
from handlers.wire.logprobs import render_logprobs
from tests.unit.handlers.wire.scripted import conforming


def test_a_token_has_text_exact_bytes_and_alternatives_best_first() -> None:
    alternatives = (
        Alternative(token_id=1, bytes=b"a", logprob=-0.1),
        Alternative(token_id=2, bytes=b"\xe2\x82", logprob=-3.0),
    )
    [rendered] = render_logprobs([TokenLogprob(token_id=1, bytes=b"a", logprob=-0.1, top=alternatives)])
    conforming(rendered, "openai", "ChatCompletionTokenLogprob")
    conforming(rendered, "ollama", "Logprob")
    assert rendered == {
        "token": "a",
        "logprob": -0.1,
        "bytes": [97],
        "top_logprobs": [
            {"token": "a", "logprob": -0.1, "bytes": [97]},
            {"token": "\ufffd", "logprob": -3.0, "bytes": [0xE2, 0x82]},
        ],
    }
