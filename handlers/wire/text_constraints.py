"""`grammar`, `regex` and `choice`: what an answer is held to instead of a JSON format. Must not know which operation takes them."""

from typing import TypedDict

from engine import ChoiceConstraint, Constraint, GrammarConstraint, JsonConstraint, RegexConstraint
from handlers.wire.refusal import InvalidParameter


class Body(TypedDict, total=False):
    """The fields of any body that takes them."""

    grammar: str | None
    regex: str | None
    choice: list[str] | None


def parse_constraint(body: Body, form: JsonConstraint | None = None, form_param: str = "") -> Constraint | None:
    """The one constraint that is asked for: one of these fields, or the JSON format `form` of the field `form_param`.

    Raises InvalidParameter where there are two: an answer can't be held to both.
    """
    grammar, regex, choice = body.get("grammar"), body.get("regex"), body.get("choice")
    asked: dict[str, Constraint] = {form_param: form} if form else {}
    if grammar is not None:
        asked["grammar"] = GrammarConstraint(grammar=grammar)
    if regex is not None:
        asked["regex"] = RegexConstraint(regex=regex)
    if choice is not None:
        asked["choice"] = ChoiceConstraint(choices=tuple(choice))
    if len(asked) > 1:
        first, second, *_ = asked
        raise InvalidParameter(f"{second}: contradicts {first}; send one of the two", second)
    return next(iter(asked.values()), None)


def check_beside_tools(constraint: Constraint | None, param: str) -> None:
    """Raises InvalidParameter where tools are offered to an answer that is held to something other than JSON."""
    if constraint is not None and not isinstance(constraint, JsonConstraint):
        raise InvalidParameter(
            f"{param}: tools can't be offered beside grammar, regex or choice; leave out one of the two", param
        )
