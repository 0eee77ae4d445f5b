"""Print the assistant message that the server makes of a model's output.

    python -m tools.parse_output --template FILE.jinja [--tools FILE.json] [--no-thinking] [--reasoning split|none] [--parallel]
                                 [--prompt-suffix TEXT] [--partial] [--stream N] < model-output.txt

The output is read by the server's own code, as text: whole, or so many characters at a time. Unlike in the server, nothing has held it to
its form while it was written, so a call is delivered once it is complete, and what turns out to be none is content.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.chat.answers.answer_format import AnswerFormat
from engine.chat.prompts.prompt_template import PromptTemplate
from engine.chat.prompts.thinking_switch import thinking_variables
from engine.chat.reader.answer import Answer
from engine.events import Event, Finished, FinishReason, Timings, Usage
from engine.generation import GenerationEvent, collect
from engine.request import JsonObject
from engine.worker.output import AnswerOutput
from engine.worker.stop_strings import StopStrings
from handlers.wire.openai.chat_completions import render_message

_QUESTION = ({"role": "user", "content": "Hello."},)


@dataclass(frozen=True)
class Asked:
    """What a model was asked for. `template`: the text of its chat template. `prompt_suffix` None: what the template itself puts behind a
    question."""

    template: str
    tools: Sequence[JsonObject] = ()
    thinks: bool = True
    splits_reasoning: bool = True
    in_parallel: bool = False
    prompt_suffix: str | None = None

    def message(self, output: str, *, is_partial: bool = False, stream: int | None = None) -> JsonObject:
        """The message in OpenAI's shape. `is_partial`: the limit cut the output. `stream`: so many characters are read at a time; None: all
        at once. Raises TemplateError or TemplateRefusal."""
        events = _events(self._output(), output, is_partial=is_partial, stream=stream)
        return render_message(collect(events).choices[0])

    def _output(self) -> AnswerOutput:
        is_begun = self.prompt_suffix is not None
        prompt_end = self._question() if self.prompt_suffix is None else self.prompt_suffix
        functions = [tool["function"] for tool in self.tools]
        answer_format = AnswerFormat.of(PromptTemplate(self.template).text)
        parser = answer_format.parser(
            Answer(schemas={function["name"]: function.get("parameters") or {} for function in functions}),
            thinking=answer_format.thinking(prompt_end, is_begun=is_begun, is_split=self.splits_reasoning),
            reads_calls=bool(self.tools),
            in_parallel=self.in_parallel,
        )
        return AnswerOutput(0, stop=StopStrings(()), parser=parser)

    def _question(self) -> str:
        return PromptTemplate(self.template).render(
            _QUESTION, self.tools, thinking_variables(self.template, "on" if self.thinks else "none")
        )


def _events(answer: AnswerOutput, output: str, *, is_partial: bool, stream: int | None) -> Iterator[GenerationEvent]:
    size = stream or max(len(output), 1)
    for start in range(0, len(output), size):
        yield from _generated(answer.push(0, output[start : start + size].encode()))
    reason: FinishReason = "length" if is_partial else "stop"
    yield from _generated(answer.finish(reason, completion_tokens=0, cumulative_logprob=None))
    yield Finished(usage=Usage(), timings=Timings())


def _generated(events: Iterator[Event]) -> Iterator[GenerationEvent]:
    return (event for event in events if isinstance(event, GenerationEvent))


def main(arguments: list[str] | None = None) -> None:
    """Read the output from standard input and print the message."""
    options = _options(arguments)
    output = sys.stdin.buffer.read().decode("utf-8", "replace")
    asked = Asked(
        options.template.read_text(encoding="utf-8"),
        tools=json.loads(options.tools.read_bytes()) if options.tools else (),
        thinks=not options.no_thinking,
        splits_reasoning=options.reasoning == "split",
        in_parallel=options.parallel,
        prompt_suffix=options.prompt_suffix,
    )
    found = asked.message(output, is_partial=options.partial, stream=options.stream)
    print(json.dumps(found, ensure_ascii=False, indent=2))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", type=Path, required=True, help="the model's chat template (Jinja)")
    parser.add_argument("--tools", type=Path, help="the tools that were offered, as in a request's `tools`")
    parser.add_argument(
        "--no-thinking", action="store_true", help="the prompt was made with thinking off, as the template has it"
    )
    parser.add_argument(
        "--reasoning",
        choices=("split", "none"),
        default="split",
        help="none: thinking stays in the content, marks included",
    )
    parser.add_argument("--parallel", action="store_true", help="several calls are read; without it only the first is")
    parser.add_argument(
        "--prompt-suffix",
        metavar="TEXT",
        help="the end of the prompt, such as a <think> that the template opened; default: the end of what the template makes of a question",
    )
    parser.add_argument("--partial", action="store_true", help="the output was cut by the token limit")
    parser.add_argument(
        "--stream", type=_positive, metavar="N", help="read so many characters at a time; default: all at once"
    )
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not positive")
    return number


if __name__ == "__main__":
    main()
