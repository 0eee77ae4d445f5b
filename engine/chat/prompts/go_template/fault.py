"""What is wrong with a Go template, and where in it. Must not know what a template is for."""

_MAX_CHARACTERS = 500


class GoTemplateFault(Exception):
    """`offset` is the place in the template's text, in characters."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset

    def located(self, source: str) -> str:
        """The message with the line and the column, counted from 1."""
        before = source[: self.offset]
        line = before.count("\n") + 1
        column = self.offset - (before.rfind("\n") + 1) + 1
        return f"line {line}, column {column}: {self.message[:_MAX_CHARACTERS]}"
