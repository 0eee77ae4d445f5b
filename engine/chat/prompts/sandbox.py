"""A Jinja environment for untrusted chat templates: what they need, as Hugging Face gives it to them, and nothing else.

Owns what a template can reach (listed filters, methods, functions) and that each loop, call, operator and printed value passes by the
meter. Must not know messages or tools.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

from jinja2 import nodes
from jinja2.environment import Template
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, LoopControlExtension
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from engine.chat.prompts import template_functions as functions
from engine.chat.prompts.meter import Meter, weigh
from engine.chat.prompts.template_functions import text_of

_Value = TypeVar("_Value")
_meter: ContextVar[Meter] = ContextVar("meter")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class _OwnList(list[Any]):
    """A list that the template wrote out, which it may change: Kimi's keeps the ids of calls in one until their results come."""


_METHODS: Mapping[type, frozenset[str]] = {
    str: _words(
        "capitalize casefold count endswith find format index isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace istitle "
        "isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition rsplit rstrip split splitlines "
        "startswith strip swapcase title upper"
    ),
    dict: _words("copy get items keys values"),
    _OwnList: _words("append copy count index pop"),
    list: _words("copy count index"),
    tuple: _words("count index"),
    int: frozenset(),
    float: frozenset(("is_integer",)),
}

_JINJA_FILTERS = _words(
    "abs count d default dictsort first float groupby int items last length list map max min reject rejectattr reverse select "
    "selectattr sort unique"
)
_TEXT_FILTERS = _words("capitalize lower title trim upper")
_COMPARING = _words(
    "!= < <= == > >= dictsort eq equalto ge greaterthan groupby gt in le lessthan lt max min ne sort unique"
)
"""Filters and tests that may look at all of what they are given. Others look at little of it, and are used on whole conversations."""
_COMPARED, _SLICED = "compared side", "sliced value"
"""Filters that no template can name."""
_MOST_UNCOUNTED = 256
_SEARCHING = _words("count index")
"""Methods of lists that compare their elements."""


@contextmanager
def metered(limit_seconds: float) -> Iterator[None]:
    """Everything that a template does in this block counts against one budget; spending more raises OutOfBounds there."""
    token = _meter.set(Meter(limit_seconds))
    try:
        yield
    finally:
        _meter.reset(token)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment; everything it runs must run inside `metered`."""

    intercepted_binops = _words("+ * ** %")

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=self.printed,
            extensions=[LoopControlExtension, _GenerationTag],
            cache_size=0,
        )
        self.policies = {}
        jinja_filters: dict[str, Any] = self.filters
        self.filters = {name: _metered(name, jinja_filters[name]) for name in _JINJA_FILTERS}
        self.filters |= {name: _metered(name, _on_text(jinja_filters[name])) for name in _TEXT_FILTERS}
        self.filters |= {name: _metered(name, function) for name, function in functions.FILTERS.items()}
        self.filters |= {_COMPARED: _compared, _SLICED: _sliced}
        jinja_tests: dict[str, Any] = self.tests
        self.tests = {name: _metered(name, test) for name, test in jinja_tests.items()}
        del self.globals["lipsum"]

    def compile_metered(self, source: str) -> tuple[nodes.Template, Template]:
        """The template and its syntax tree as written. Raises Jinja's TemplateSyntaxError."""
        written = self.parse(source)
        tree = _MeterInsertion(self).visit(self.parse(source))
        return written, Template.from_code(self, self.compile(tree), self.make_globals(None))

    def looped(self, iterable: Iterable[Any], text_characters: int) -> Iterator[Any]:
        """`iterable`, each turn of which writes up to `text_characters` of the template's own text."""
        spend = _meter.get().spend
        for item in iterable:
            spend(text_characters)
            yield item

    def concatenated(self, *values: Any) -> str:
        """The `~` operator."""
        return _weighed("".join(functions.bounded_texts(values)))

    def literal(self, value: Any) -> Any:
        """A list, tuple or dictionary that the template wrote out."""
        return _weighed(_OwnList(value) if isinstance(value, list) else value)

    def printed(self, value: Any) -> str:
        """What `{{ value }}` writes."""
        return _weighed(text_of(value))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator that can make much of little."""
        functions.check_operation(operator, left, right)
        return _weighed(super().call_binop(context, operator, left, right))

    def call(self, context: Context, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Any call in the template. What a list is given counts, for lists that hold lists twice, and so on, are vast to compare."""
        owner = getattr(function, "__self__", None)
        if isinstance(owner, str | list | tuple):
            searched = isinstance(owner, str) or function.__name__ in _SEARCHING
            _weighed((owner, *args) if searched else args)
        return _weighed(super().call(context, function, *functions.checked_arguments(function, args), **kwargs))

    def getitem(self, obj: Any, argument: Any) -> Any:
        """`obj[argument]`, which filters such as map use for each element."""
        _meter.get().spend()
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Plain values have the listed methods only; other objects are Jinja's own, with the attributes that Jinja deems safe."""
        for kind, names in _METHODS.items():
            if isinstance(obj, kind):
                return attr in names
        return super().is_safe_attribute(obj, attr, value)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Refuses at once what Jinja would refuse at the next step."""
        raise SecurityError(f"it reaches for {attribute!r} of a {type(obj).__name__}")

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """`str.format`, which may not reach for attributes (Jinja's care) nor pad without bounds (ours)."""
        sandboxed = super().wrap_str_format(value)
        if sandboxed is None:
            return None

        @wraps(sandboxed)
        def format_bounded(*args: Any, **kwargs: Any) -> str:
            functions.check_format(value.__self__, [args, kwargs])
            return sandboxed(*args, **kwargs)

        return format_bounded


class _GenerationTag(Extension):
    """`{% generation %}`: marks the assistant's text for training; here its body is just rendered."""

    tags = {"generation"}  # noqa: RUF012 - Jinja declares it as a plain attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The body, as if the tag were not there."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _MeterInsertion(NodeTransformer):
    """Rewrites a syntax tree so that loops, `~` and literals call the environment's methods above."""

    def __init__(self, environment: Sandbox) -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - Jinja's visitors are named for node classes
        """Counts turns, and the template's own text in the body."""
        text_characters = sum(len(text.data) for part in node.body for text in _template_texts(part))
        self.generic_visit(node)
        node.iter = self._call("looped", node.iter, nodes.Const(text_characters))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - as above
        """Jinja offers no other way to see `~`."""
        self.generic_visit(node)
        return self._call("concatenated", *node.nodes)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802 - as above
        """Values are compared in C, where nothing else counts. Only a side that the template computes may be large."""
        self.generic_visit(node)
        sides: list[Any] = [node, *node.ops]
        for side in sides:
            if not isinstance(side.expr, nodes.Const):
                side.expr = nodes.Filter(side.expr, _COMPARED, [], [], None, None)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - as above
        """Jinja's code takes slices itself."""
        self.generic_visit(node)
        return nodes.Filter(node, _SLICED, [], [], None, None) if isinstance(node.arg, nodes.Slice) else node

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 - as above
        """A list may hold another twice, and so on: small to make, vast to print."""
        self.generic_visit(node)
        return self._call("literal", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 - as above
        """As a list, unless it is what a loop or assignment unpacks into."""
        self.generic_visit(node)
        return node if node.ctx != "load" else self._call("literal", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802 - as above
        """As a list."""
        self.generic_visit(node)
        return self._call("literal", node)

    def _call(self, method: str, *args: nodes.Node) -> nodes.Call:
        call = nodes.Call(nodes.EnvironmentAttribute(method), cast("list[nodes.Expr]", list(args)), [], None, None)
        return call.set_environment(self._environment)  # type: ignore[return-value] # Jinja types it as any node


def _template_texts(node: nodes.Node) -> Iterator[nodes.TemplateData]:
    if isinstance(node, nodes.TemplateData):
        yield node
    yield from node.find_all(nodes.TemplateData)


def _weighed(value: _Value) -> _Value:
    """`value`, its weight spent."""
    _meter.get().spend(weigh(value))
    return value


def _compared(value: _Value) -> _Value:
    """A side of a comparison, which may look at all of it. Most are short texts, and too many to be counted."""
    is_small = value is None or isinstance(value, int) or (isinstance(value, str) and len(value) < _MOST_UNCOUNTED)
    return value if is_small else _weighed(value)


def _sliced(value: _Value) -> _Value:
    """`value[a:b]`, a copy of no more than its elements."""
    _meter.get().spend(len(value) if isinstance(value, Sized) else 0)
    return value


def _metered(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or test whose every use counts, and what it returns."""
    is_comparing = name in _COMPARING

    @wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        if is_comparing:
            _weighed(args)
        return _weighed(function(*args, **kwargs))

    return counted


def _on_text(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja's that would write anything out as text, for what is text or a JSON value."""

    @wraps(function)
    def applied(value: Any, *args: Any, **kwargs: Any) -> Any:
        return function(text_of(value), *args, **kwargs)

    return applied
