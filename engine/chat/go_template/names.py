"""Which names a Go template looks at. Must not know what they stand for."""

from collections.abc import Iterator

from engine.chat.go_template.syntax import If, Node, Output, Path, Pipeline, Range


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
