"""Reads the tokens of a Go template into its syntax tree.

Owns the grammar, and what of it is served here: no templates within templates, no methods. Must not know what functions do.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NoReturn

from engine.chat.prompts.go_template.fault import GoTemplateFault
from engine.chat.prompts.go_template.lexer import Kind, Token, tokens
from engine.chat.prompts.go_template.literals import literal
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

_MAX_DEPTH = 64
_MAX_VARIABLES = 256
_CONSTANTS = {"true": True, "false": False, "nil": None}
_REFUSED = frozenset({"block", "define", "template"})
_KEYWORDS = frozenset({"if", "with", "range", "break", "continue", "else", "end"}) | _REFUSED


class Parser:
    """Reads one template. `functions` are the names of those that there are."""

    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._functions = functions
        self._end = Token("text", "", len(source))
        self._tokens = list(tokens(source))
        self._position = 0
        self._variables = ["$"]
        self._depth = 0
        self._loops = 0

    def parse(self) -> tuple[Node, ...]:
        """The whole template. Raises GoTemplateFault."""
        nodes, end = self._nodes()
        if end is not None:
            self._fail(f"{{{{{end.text}}}}} ends nothing here", end)
        return nodes

    def _nodes(self) -> tuple[tuple[Node, ...], Token | None]:
        """Nodes up to an `end` or `else`, which is taken and given too; None at the end of the text."""
        nodes: list[Node] = []
        while self._position < len(self._tokens):
            token = self._next()
            if token.kind == "text":
                nodes.append(Text(token.offset, token.text))
                continue
            self._skip_space()
            word = self._peek()
            if word.kind == "word" and word.text in _KEYWORDS:
                self._next()
                if word.text in {"end", "else"}:
                    return tuple(nodes), word
                nodes.append(self._control(word))
            else:
                nodes.append(Output(word.offset, self._pipeline("close")))
        return tuple(nodes), None

    def _control(self, word: Token) -> Node:
        if word.text in _REFUSED:
            self._fail(f"{{{{{word.text}}}}} is not supported: there are no templates within a template here", word)
        if word.text in {"break", "continue"}:
            if not self._loops:
                self._fail(f"{{{{{word.text}}}}} stands outside of a range", word)
            self._expect_close(word)
            return Jump(word.offset, word.text == "break")
        with self._nested(word):
            return self._block(word)

    def _block(self, word: Token) -> Node:
        """An if, with or range, up to its end."""
        is_range = word.text == "range"
        known = len(self._variables)
        pipeline = self._pipeline("close", most_variables=2 if is_range else 1)
        if is_range and pipeline.variables and not pipeline.declares:
            self._fail("a range can declare variables by := only", word)
        self._loops += is_range
        body, end = self._nodes()
        self._loops -= is_range
        otherwise = self._otherwise(word, end)
        del self._variables[known:]
        if is_range:
            return Range(word.offset, pipeline, body, otherwise)
        return If(word.offset, pipeline, body, otherwise, sets_dot=word.text == "with")

    def _otherwise(self, word: Token, end: Token | None) -> tuple[Node, ...]:
        """What stands behind an `else`, if that is what ended the body."""
        if end is None:
            self._fail(f"{{{{{word.text}}}}} has no {{{{end}}}}", word)
        if end.text == "end":
            self._expect_close(end)
            return ()
        self._skip_space()
        following = self._peek()
        if following.kind == "word" and following.text == word.text and word.text != "range":
            self._next()
            with self._nested(following):
                return (self._block(following),)
        self._expect_close(end)
        otherwise, last = self._nodes()
        if last is None or last.text != "end":
            self._fail(f"{{{{{word.text}}}}} has no {{{{end}}}}" if last is None else "a second {{else}}", last or word)
        self._expect_close(last)
        return otherwise

    @contextmanager
    def _nested(self, token: Token) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._fail(f"it is nested more than {_MAX_DEPTH} deep", token)
        yield
        self._depth -= 1

    def _pipeline(self, closing: Kind, *, most_variables: int = 1) -> Pipeline:
        """Up to and with its closing delimiter, or the parenthesis where `closing` is `mark`."""
        self._skip_space()
        offset = self._peek().offset
        variables, declares = self._declaration(most_variables) if closing == "close" else ((), False)
        commands: list[Command] = []
        while True:
            commands.append(self._command(is_first=not commands))
            token = self._next()
            if token.text == "|" and token.kind == "mark":
                continue
            if token.kind != closing:
                self._fail(
                    "a parenthesis has no end" if closing == "mark" else "a parenthesis ends that was not begun", token
                )
            break
        if declares:
            self._declare(variables, offset)
        return Pipeline(offset, variables, declares, tuple(commands))

    def _declare(self, names: tuple[str, ...], offset: int) -> None:
        self._variables += names
        if len(self._variables) > _MAX_VARIABLES:
            raise GoTemplateFault(f"more than {_MAX_VARIABLES} variables are known at once", offset)

    def _declaration(self, most: int) -> tuple[tuple[str, ...], bool]:
        """The variables before a `:=` or `=`, if there is one."""
        start, names = self._position, list[str]()
        while self._peek().kind == "variable":
            names.append(self._next().text)
            self._skip_space()
            mark = self._peek()
            if mark.text in {":=", "="} and mark.kind == "mark":
                self._next()
                if len(names) > most:
                    self._fail("too many variables are declared", mark)
                if mark.text == "=":
                    self._require_known(names, mark)
                return tuple(names), mark.text == ":="
            if mark.text != ",":
                break
            self._next()
            self._skip_space()
        self._position = start
        return (), False

    def _require_known(self, names: list[str], at: Token) -> None:
        for name in names:
            if name not in self._variables:
                self._fail(f"the variable {name} is not declared", at)

    def _command(self, *, is_first: bool) -> Command:
        """Operands up to a `|`, a closing parenthesis or the end of the action, which stays."""
        self._skip_space()
        offset = self._peek().offset
        operands: list[Literal | Path | Function] = []
        while not self._at_end_of_command():
            operands.append(self._operand())
            token = self._peek()
            if token.kind != "space" and not self._at_end_of_command():
                self._fail(f"{token.text!r} is not expected here", token)
            self._skip_space()
        if not operands:
            self._fail("a value is missing", self._peek())
        if isinstance(operands[0], Literal) and operands[0].value is None:
            self._fail("nil alone is no value", self._peek())
        if not isinstance(operands[0], Function) and (len(operands) > 1 or not is_first):
            shown = operands[0].text if isinstance(operands[0], Path) else repr(operands[0].value)
            raise GoTemplateFault(f"{shown} is no function, so it is given no arguments", offset)
        return Command(offset, tuple(operands))

    def _at_end_of_command(self) -> bool:
        token = self._peek()
        return token.kind == "close" or (token.kind == "mark" and token.text in {"|", ")"})

    def _operand(self) -> Literal | Path | Function:
        token = self._next()
        match token.kind:
            case "word":
                return self._word(token)
            case "string" | "raw" | "char" | "number":
                return Literal(token.offset, literal(token))
            case "field":
                return Path(token.offset, None, (token.text[1:], *self._fields()))
            case "variable":
                self._require_known([token.text], token)
                return Path(token.offset, token.text, self._fields())
        if token.text == ".":
            return Path(token.offset, None, ())
        if token.text == "(":
            with self._nested(token):
                inner = self._pipeline("mark")
            return Path(token.offset, inner, self._fields())
        return self._fail(f"{token.text!r} is not expected here", token)

    def _word(self, token: Token) -> Literal | Function:
        if token.text in _CONSTANTS:
            return Literal(token.offset, _CONSTANTS[token.text])
        if token.text not in self._functions:
            known = ", ".join(sorted(self._functions))
            self._fail(f"the function {token.text} is not supported; there are {known}", token)
        return Function(token.offset, token.text)

    def _fields(self) -> tuple[str, ...]:
        names: list[str] = []
        while self._peek().kind == "field":
            names.append(self._next().text[1:])
        return tuple(names)

    def _expect_close(self, word: Token) -> None:
        self._skip_space()
        token = self._next()
        if token.kind != "close":
            self._fail(f"{token.text!r} is not expected behind {word.text}", token)

    def _skip_space(self) -> None:
        if self._peek().kind == "space":
            self._position += 1

    def _peek(self) -> Token:
        return self._tokens[self._position] if self._position < len(self._tokens) else self._end

    def _next(self) -> Token:
        token = self._peek()
        self._position += 1
        return token

    def _fail(self, message: str, at: Token) -> NoReturn:
        raise GoTemplateFault(message, at.offset)
