"""Owns the choice of what a request's answers are guessed from. Must not know how guesses are verified."""

from collections.abc import Callable, Sequence

from engine.config import Drafting
from engine.request import GenerationRequest
from engine.worker.drafts import Prediction, PromptLookup
from engine.worker.guesser import Guesser

_PREDICTION_HOPE = 0.9
_LOOKUP_HOPE = 0.6


def guessers(
    request: GenerationRequest,
    prompt: Sequence[int],
    drafting: Drafting,
    tokenize: Callable[[str], list[int]],
) -> Callable[[], Guesser | None]:
    """What makes a guesser for each answer: all of them share the index, which is made here."""
    if drafting.tokens and request.prediction:
        predicted = tokenize(request.prediction)
        places = Prediction.index(predicted)
        return lambda: Guesser(Prediction(predicted, places, prompt_length=len(prompt)), hoped_share=_PREDICTION_HOPE)
    if drafting.tokens and drafting.prompt_lookup != "off":
        earlier = PromptLookup.index(prompt)
        return lambda: Guesser(PromptLookup(prompt, earlier), hoped_share=_LOOKUP_HOPE)
    return lambda: None
