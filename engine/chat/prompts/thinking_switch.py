"""How a template is told whether, and how hard, its model is to think.

Owns the names and the words that families' templates have for that. Must not know how a template is rendered, nor a dialect.
"""

import re

from engine.request import JsonObject

_LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")
_WORDS_FOR_OFF = ("none", "no_think", "off")
_SWITCHES = ("enable_thinking", "thinking", "reasoning")
_EFFORTS = ("reasoning_effort", "thinking_effort", "reasoning_strength")
_WORD = re.compile(r"""['"](\w+)['"]""")


def thinking_variables(template: str, effort: str | None) -> JsonObject:
    """The variables that ask a template for an effort: `none`, `on`, or a level; none at all for None, as the template does by itself.

    A level that the template does not take becomes the nearest one that it does.
    """
    if effort is None:
        return {}
    thinks = effort != "none"
    variables: JsonObject = dict.fromkeys(_SWITCHES, thinks)
    variables["thinking_mode"] = "enabled" if thinks else "disabled"
    if not thinks:
        variables["thinking_budget"] = 0
    has_switch = any(re.search(rf"\b{name}\b", template) for name in _SWITCHES)
    for name in _EFFORTS:
        word = _word(effort, _accepted(template, name), has_switch=has_switch)
        if word is not None and re.search(rf"\b{name}\b", template):
            variables[name] = word
    return variables


def _accepted(template: str, name: str) -> list[str]:
    """The words that a template refuses all others beside; empty if it takes any."""
    found = re.search(rf"\b{name}\s+not\s+in\s*\[([^\]]*)\]", template)
    return _WORD.findall(found.group(1)) if found else []


def _word(effort: str, accepted: list[str], *, has_switch: bool) -> str | None:
    """The template's word for an effort; None where it needs none said."""
    levels = [level for level in _LEVELS if level in accepted] if accepted else list(_LEVELS)
    if effort == "none":
        off = next((word for word in _WORDS_FOR_OFF if word in accepted), None)
        return off or (None if has_switch else levels[0] if accepted else "low")
    if effort == "on":
        return None if has_switch or not accepted else _nearest("medium", levels)
    return _nearest(effort, levels)


def _nearest(effort: str, levels: list[str]) -> str:
    wanted = _LEVELS.index(effort)
    return min(levels, key=lambda level: abs(_LEVELS.index(level) - wanted), default=effort)
