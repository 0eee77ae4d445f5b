"""Which names a Go template looks at, and where. Must not know what they stand for."""

from collections.abc import Iterator
from dataclasses import replace

from engine.chat.prompts.go_template.syntax import If, Node, Output, Path, Pipeline, Range


def names_in(nodes: tuple[Node, ...]) -> Iterator[str]:
    """The name of every field that the template looks at, wherever it stands."""
    for node in nodes:
        if isinstance(node, Output | If | Range):
            yield from _in_pipeline(node.pipeline)
        if isinstance(node, If | Range):
            yield from names_in(node.body)
            yield from names_in(node.otherwise)


def _in_pipeline(pipeline: Pipeline) -> Iterator[str]:
    for command in pipeline.commands:
        for operand in command.operands:
            if isinstance(operand, Path):
                yield from operand.names
                if isinstance(operand.base, Pipeline):
                    yield from _in_pipeline(operand.base)


def up_to(name: str, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """The template without all that stands, in its text, behind the first action that writes the field `name`."""
    return _up_to(name, nodes)[0]


def _up_to(name: str, nodes: tuple[Node, ...]) -> tuple[tuple[Node, ...], bool]:
    """And whether there is such an action."""
    kept: list[Node] = []
    for node in nodes:
        found = False
        if isinstance(node, Output):
            found = name in _in_pipeline(node.pipeline)
        elif isinstance(node, If | Range):
            body, found = _up_to(name, node.body)
            otherwise, found = ((), True) if found else _up_to(name, node.otherwise)
            node = replace(node, body=body, otherwise=otherwise)
        kept.append(node)
        if found:
            return tuple(kept), True
    return tuple(kept), False
