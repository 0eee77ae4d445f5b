"""Owns tasks on words that the user gives: repeat, list, spell, pick; and the words themselves, invented ones included."""

from __future__ import annotations

from tools.demo_model.samples import Draw, Exchange, phrase
from tools.demo_model.wordings import wordings
from tools.demo_model.world import ADJECTIVES, CITIES, ENDINGS, NOUNS, ONSETS, PEOPLE, VERBS, VOWELS

_ASKED = wordings("words")

_EMOJI = (
    (0x1F600, 0x1F64F),
    (0x1F300, 0x1F3FF),
    (0x4E00, 0x4FFF),
    (0x3041, 0x3090),
    (0xC0, 0xFF),
    (0x410, 0x44F),
    (0x3B1, 0x3C9),
)


def invented_word(draw: Draw) -> str:
    """A word that no list holds, one to three syllables long."""
    count = draw.weighted({1: 2, 2: 5, 3: 2})
    return "".join(draw.one(ONSETS) + draw.one(VOWELS) for _ in range(count)) + draw.one(ENDINGS)


def person(draw: Draw) -> str:
    """A first name, known or invented."""
    return draw.one(PEOPLE) if draw.chance(0.7) else invented_word(draw).capitalize()


def any_word(draw: Draw) -> str:
    """A known word mostly, an invented one, a name or a number now and then."""
    kind = draw.weighted({"noun": 10, "adjective": 3, "verb": 3, "person": 2, "city": 1, "invented": 6, "number": 1})
    if kind == "invented":
        word = invented_word(draw)
        return word.capitalize() if draw.chance(0.3) else word
    if kind == "number":
        return str(draw.number(0, 9999))
    lists = {"noun": NOUNS, "adjective": ADJECTIVES, "verb": VERBS, "person": PEOPLE, "city": CITIES}
    return draw.one(lists[kind])


def _foreign(draw: Draw) -> str:
    """One to six characters from elsewhere in Unicode, so that every byte is worth copying."""
    low, high = draw.one(_EMOJI)
    return "".join(chr(draw.number(low, high)) for _ in range(draw.number(1, 6 if low < 0x10000 else 3)))


def some_text(draw: Draw) -> str:
    """A few words to copy, plain or written as a sentence."""
    words = [any_word(draw) for _ in range(draw.weighted({1: 3, 2: 4, 3: 4, 4: 3, 5: 2, 7: 1, 10: 0.6}))]
    if draw.chance(0.1):
        words[draw.number(0, len(words) - 1)] = _foreign(draw)
    text = draw.weighted({" ": 6, ", ": 2, "-": 0.4}).join(words)
    if draw.chance(0.2):
        text = text[0].upper() + text[1:] + draw.one((".", "!", "?"))
    return text


def repeat(draw: Draw) -> Exchange:
    """A text to say again."""
    text = draw.fresh(lambda: (chosen := some_text(draw), chosen))
    return Exchange("repeat", phrase(draw, _ASKED["repeat"], x=text), text, text, {"text": text})


def _enumeration(draw: Draw, words: list[str]) -> str:
    if draw.chance(0.4) and len(words) > 1:
        return ", ".join(words[:-1]) + " and " + words[-1]
    return draw.one((", ", " ", ", ")).join(words)


def bullets(draw: Draw) -> Exchange:
    """The user's words as a list with dashes."""
    words = draw.fresh(lambda: (" ".join(chosen := _distinct_words(draw, 2, 6)), chosen))
    answer = "\n".join(f"- {word}" for word in words)
    return Exchange(
        "list", phrase(draw, _ASKED["bullets"], x=_enumeration(draw, words)), answer, answer, {"items": words}
    )


def _distinct_words(draw: Draw, low: int, high: int) -> list[str]:
    words = {any_word(draw).replace(" ", ""): None for _ in range(draw.number(low, high))}
    return list(words) if len(words) >= low else _distinct_words(draw, low, high)


def spelling(draw: Draw) -> Exchange:
    """A word letter by letter. Known words are held out by wording, invented ones altogether."""

    def make() -> tuple[str, tuple[str, str]]:
        template = draw.one(_ASKED["spell"])
        if draw.chance(0.45):
            word = invented_word(draw)
            return word, (template, word)
        word = draw.one(draw.one((NOUNS, NOUNS, ADJECTIVES, VERBS, PEOPLE)))
        return f"{template}|{word}", (template, word)

    template, word = draw.fresh(make)
    answer = "-".join(word)
    return Exchange("spell", phrase(draw, (template,), x=word), answer, answer, {"letters": list(word)})


def picking(draw: Draw) -> Exchange:
    """The first or last of the user's words, or how many there are."""
    words = draw.fresh(lambda: (" ".join(chosen := _distinct_words(draw, 2, 7)), chosen))
    text = draw.one((" ", ", ")).join(words)
    kind = draw.weighted({"first": 1, "last": 1, "count": 1.5})
    if kind == "count":
        return Exchange(
            "count",
            phrase(draw, _ASKED["how_many"], x=text),
            f"There are {len(words)}.",
            str(len(words)),
            {"count": len(words)},
        )
    word, templates = (words[0], _ASKED["first"]) if kind == "first" else (words[-1], _ASKED["last"])
    return Exchange("list", phrase(draw, templates, x=text), f"The {kind} word is {word}.", word, {"word": word})
