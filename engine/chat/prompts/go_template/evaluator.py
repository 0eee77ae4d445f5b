"""Runs a Go template's syntax tree over data, as Go's text/template does.

Owns scopes, jumps and what counts against the meter: every node and every turn of a loop, every value made, every text written. Must not
know what the data stand for.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.chat.prompts.go_template.fault import GoTemplateFault
from engine.chat.prompts.go_template.functions import LAZY
from engine.chat.prompts.go_template.syntax import (
    Command,
    Function,
    If,
    Jump,
    Literal,
    Node,
    Output,
    Path,
    Pipeline,
    Range,
    Text,
)
from engine.chat.prompts.go_template.values import GoError, Record, Slice, is_true, kind_of, member, plain, text_of
from engine.chat.prompts.meter import Meter, check_size


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Evaluator:
    """One run."""

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        meter: Meter,
        root: Record,
    ) -> None:
        self._functions = functions
        self._meter = meter
        self._root = root
        self._variables: list[tuple[str, Any]] = [("$", root)]
        self._texts: list[str] = []
        self._length = 0

    def run(self, nodes: tuple[Node, ...]) -> str:
        """What the template writes. Raises GoTemplateFault, or OutOfBounds by the meter."""
        self._walk(nodes, self._root)
        return "".join(self._texts)

    def _walk(self, nodes: tuple[Node, ...], dot: Any) -> None:
        for node in nodes:
            self._meter.spend()
            match node:
                case Text():
                    self._write(node.text)
                case Output():
                    self._output(node, dot)
                case If():
                    self._branch(node, dot)
                case Range():
                    self._loop(node, dot)
                case Jump():
                    raise _Break if node.is_break else _Continue

    def _write(self, text: str) -> None:
        self._meter.spend(len(text))
        self._length = check_size(self._length + len(text))
        self._texts.append(text)

    def _output(self, node: Output, dot: Any) -> None:
        value = self._pipeline(node.pipeline, dot)
        if not node.pipeline.variables:
            try:
                self._write(text_of(value))
            except GoError as error:
                raise GoTemplateFault(str(error), node.offset) from error

    def _branch(self, node: If, dot: Any) -> None:
        known = len(self._variables)
        value = self._pipeline(node.pipeline, dot)
        if is_true(value):
            self._walk(node.body, value if node.sets_dot else dot)
        else:
            self._walk(node.otherwise, dot)
        del self._variables[known:]

    def _loop(self, node: Range, dot: Any) -> None:
        known = len(self._variables)
        value = self._pipeline(node.pipeline, dot, assigns=False)
        turned = False
        for key, item in _turns(value, node):
            turned = True
            self._meter.spend()
            self._variables += zip(node.pipeline.variables, (key, item)[-len(node.pipeline.variables) :], strict=False)
            try:
                self._walk(node.body, item)
            except _Continue:
                pass
            except _Break:
                break
            finally:
                del self._variables[known:]
        if not turned:
            self._walk(node.otherwise, dot)
        del self._variables[known:]

    def _pipeline(self, pipeline: Pipeline, dot: Any, *, assigns: bool = True) -> Any:
        value: Any = None
        for number, command in enumerate(pipeline.commands):
            value = self._command(command, dot, (value,) if number else ())
        if assigns:
            for name in pipeline.variables:
                self._set(name, value, pipeline)
        return value

    def _set(self, name: str, value: Any, pipeline: Pipeline) -> None:
        if pipeline.declares:
            self._variables.append((name, value))
            return
        for index in range(len(self._variables) - 1, -1, -1):
            if self._variables[index][0] == name:
                self._variables[index] = (name, value)
                return
        raise GoTemplateFault(f"the variable {name} is not declared here", pipeline.offset)

    def _command(self, command: Command, dot: Any, piped: tuple[Any, ...]) -> Any:
        self._meter.spend()
        first, *arguments = command.operands
        if not isinstance(first, Function):
            return self._value(first, dot)
        if first.name in LAZY:
            return self._lazily(first, arguments, dot, piped)
        return self._called(first, [*(self._value(argument, dot) for argument in arguments), *piped])

    def _lazily(
        self, function: Function, arguments: list[Literal | Path | Function], dot: Any, piped: tuple[Any, ...]
    ) -> Any:
        """`and` and `or`, which look at no more arguments than they need."""
        if not arguments and not piped:
            raise GoTemplateFault(f"{function.name} needs an argument", function.offset)
        value: Any = None
        for argument in arguments:
            value = self._value(argument, dot)
            if is_true(value) == (function.name == "or"):
                return value
        return piped[0] if piped else value

    def _called(self, function: Function, arguments: list[Any]) -> Any:
        self._meter.spend(sum(len(argument) for argument in arguments if isinstance(argument, str)))
        try:
            value = self._functions[function.name](*arguments)
        except GoError as error:
            raise GoTemplateFault(str(error), function.offset) from error
        except TypeError as error:  # of a call with too few arguments, or too many
            message = f"{function.name} cannot take {len(arguments)} arguments"
            raise GoTemplateFault(message, function.offset) from error
        self._meter.spend(len(value) if isinstance(value, str) else 0)
        return value

    def _value(self, operand: Literal | Path | Function, dot: Any) -> Any:
        match operand:
            case Literal():
                return operand.value
            case Function():
                return self._called(operand, [])
            case Path():
                return self._path(operand, dot)

    def _path(self, path: Path, dot: Any) -> Any:
        base = path.base
        if base is None:
            value = dot
        elif isinstance(base, str):
            value = self._variable(base, path)
        else:
            value = self._pipeline(base, dot)
        for name in path.names:
            try:
                value = member(value, name)
            except GoError as error:
                raise GoTemplateFault(f"in {path.text}: {error}", path.offset) from error
        return value

    def _variable(self, name: str, path: Path) -> Any:
        for known, value in reversed(self._variables):
            if known == name:
                return value
        raise GoTemplateFault(f"the variable {name} is not declared here", path.offset)


def _turns(value: Any, node: Range) -> Iterator[tuple[Any, Any]]:
    value = plain(value)
    if isinstance(value, dict):
        return iter(sorted(value.items()))
    if isinstance(value, list | tuple | Slice):
        return enumerate(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return ((number, number) for number in range(value))
    if value is None:
        return iter(())
    raise GoTemplateFault(f"a range over a {kind_of(value)}, which has no elements", node.offset)
