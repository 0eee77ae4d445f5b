"""Python code as a call of the function that runs it, as Llama 3 and its descendants write it behind `<|python_tag|>`.

Owns which function that is, and how code becomes its argument. Must not know what else may stand behind the tag.
"""

import json

from engine.chat.reader.answer import Answer
from engine.chat.reader.source import Marks, Reading, Unreadable

PYTHON_TAG = "<|python_tag|>"
_FUNCTIONS = ("python", "ipython", "code_interpreter")


def runs_python(function: str) -> bool:
    """Whether a function of this name runs Python code."""
    return function in _FUNCTIONS


def read_python_code(answer: Answer, *, ends: tuple[str, ...] = ()) -> Reading[None]:
    """All text up to one of `ends`, or the end, is code. Raises Unreadable if no function that runs it is offered."""
    function = answer.first_offered(*_FUNCTIONS)
    if function is None:
        raise Unreadable("no function is offered that runs code")
    answer.begin_call(function)
    answer.arguments(f'{{{json.dumps(_argument(answer, function))}: "')
    found = yield from answer.source.until(Marks(ends), lambda code: answer.arguments(json.dumps(code)[1:-1]))
    if found is None and answer.source.is_cut:
        raise Unreadable("the code is cut")
    answer.arguments('"}')
    answer.end_call()


def _argument(answer: Answer, function: str) -> str:
    """The function's only argument, if it has only one."""
    known = list(answer.parameters(function))
    return known[0] if len(known) == 1 else "code"
