"""Owns what holds one model's answers to their form, and which of its tokens are marks of it. The form itself is `engine.chat`'s business.

Runs in preparing threads. Must not know limits, samplers or slots.
"""

import json
from contextlib import suppress
from functools import cached_property, partial

import msgspec

from engine.chat.answers.answer_format import AnswerFormat
from engine.chat.answers.answer_grammar import AnswerGrammar
from engine.chat.answers.channels import ChannelParser
from engine.chat.answers.messages_grammar import MessagesGrammar
from engine.chat.answers.reasoning import THINK, Thinking
from engine.chat.answers.recipients import RecipientsGrammar
from engine.chat.reader.answer import Answer
from engine.chat.tool_formats.form import CallableTool, FormCannotHold, ToolFormat
from engine.chat.tool_formats.message_form import MessageFormat
from engine.chat.tool_formats.recipients import RecipientFormat
from engine.errors import EngineError
from engine.llama.constraint import Constraint, ConstraintCompiler
from engine.llama.json_schemas import JsonSchema, SchemaUnsupported
from engine.llama.model import Model
from engine.request import (
    ChatPrompt,
    ChoiceConstraint,
    GenerationRequest,
    GrammarConstraint,
    JsonConstraint,
    JsonObject,
    RegexConstraint,
    ToolUse,
)
from engine.request import Constraint as Wanted
from engine.worker.answer_check import AnswerCheck
from engine.worker.callable_tools import (
    arguments_schemas,
    callable_tools,
    enforcing,
    without_hopeless_schemas,
    without_schemas,
)
from engine.worker.reasoning_budget import ReasoningBudget

_OPENING_TOKENS = 16
"""So many last tokens of a prompt show whether the template opened the model's thinking."""

_PARTS = {JsonConstraint: "schema", RegexConstraint: "regex", ChoiceConstraint: "choice", GrammarConstraint: "grammar"}


def held_by(request: GenerationRequest) -> str:
    """The part of a request that its answer is held to."""
    if request.constraint is None:
        return "tools"
    return _PARTS[type(request.constraint)]


class AnswerForm:
    """The form of answers that `template_source` teaches."""

    def __init__(self, model: Model, template_source: str, *, reasoning_budget_tokens: int | None = None) -> None:
        """`reasoning_budget_tokens`: of answers to requests that do not say; None: the model ends its thinking."""
        self._model = model
        self._reasoning_budget_tokens = reasoning_budget_tokens
        self._format = AnswerFormat.of(template_source)

    @cached_property
    def _compiler(self) -> ConstraintCompiler:
        return ConstraintCompiler(self._model)

    @cached_property
    def marks(self) -> dict[int, bytes]:
        """Tokens that are marks of this form: unlike other control tokens, they are part of an answer's text."""
        tokens = {token for mark in self._format.marks for token in self._tokens(mark) if self._model.is_special(token)}
        return {token: self._model.piece(token, special=True) for token in tokens}

    def _tokens(self, text: str) -> list[int]:
        return self._model.tokenize(text, add_special=False, parse_special=True)

    @cached_property
    def _grammar(self) -> AnswerGrammar:
        tokens = {mark.decode(): token for token, mark in self.marks.items()}
        match self._format.calls:
            case MessageFormat() as messages:
                return MessagesGrammar(tokens, messages)
            case RecipientFormat():
                return RecipientsGrammar(tokens)
            case _:
                return AnswerGrammar(tokens)

    def parser(self, request: GenerationRequest, prompt_tokens: list[int]) -> ChannelParser | None:
        """What finds the parts of an answer that the request wants told apart; None where it wants none."""
        # Calls are held to their form by the constraint below, so what has begun as one stays one.
        answer = Answer(is_certain=True, schemas=arguments_schemas(request.prompt))
        thinking = self._thinking(request, prompt_tokens)
        use = request.tool_use
        return self._format.parser(
            answer, thinking=thinking, reads_calls=use is not None, in_parallel=use is None or use.in_parallel
        )

    def check(self, request: GenerationRequest) -> AnswerCheck | None:
        """What a finished answer is looked at for; None where nothing is promised of it. EngineError where that can't be enforced."""
        content, use = None, request.tool_use
        arguments: dict[str, JsonSchema | None] = {}
        if isinstance(request.constraint, JsonConstraint):
            with enforcing("this JSON schema", "schema"):
                content = self._compiler.json(request.constraint.schema).schema
        if use is not None and self._format.calls is not None and (use.strict or use.is_required or use.inputs):
            assert isinstance(request.prompt, ChatPrompt)
            arguments = {tool.name: self._schema(tool) for tool in callable_tools(request.prompt, use, self._compiler)}
        held = {name: schema for name, schema in arguments.items() if schema}
        return AnswerCheck(content, held) if content or held else None

    def _schema(self, tool: CallableTool) -> JsonSchema | None:
        """The schema under which a call's arguments are promised to be valid."""
        if not tool.is_strict:
            return None
        with enforcing("the schema of this tool's arguments", "tools"):
            return self._compiler.json(json.dumps(tool.arguments_schema)).schema

    def reasoning_budget(self, request: GenerationRequest) -> ReasoningBudget | None:
        """What ends an answer's thinking; None where only the model does."""
        limit = request.reasoning_budget_tokens
        if limit is None:
            limit = 0 if self._is_off(request) else self._reasoning_budget_tokens
        if limit is None or limit < 0:
            return None
        return ReasoningBudget(limit, self._tokens, partial(self._model.piece, special=True))

    @staticmethod
    def _is_off(request: GenerationRequest) -> bool:
        """Whether thinking is switched off, so that there is none but what the prompt opens."""
        return isinstance(request.prompt, ChatPrompt) and request.prompt.reasoning_effort == "none"

    def constraint(self, request: GenerationRequest, prompt_tokens: list[int]) -> Constraint | None:
        """What the answer is held to. EngineError where that can't be done."""
        thinking = self._thinking(request, prompt_tokens)
        if thinking is not None and not thinking.is_open and self._is_off(request) and not self._format.is_in_messages:
            thinking = None
        alone = self._held(request.constraint, thinking) if request.constraint else None
        if request.tool_use is None:
            return alone
        return self._calls(request, request.tool_use, thinking) or alone

    def _held(self, wanted: Wanted, thinking: Thinking | None) -> Constraint:
        match wanted:
            case JsonConstraint():
                with enforcing("this JSON schema", "schema"):
                    alone = self._compiler.json(wanted.schema)
                    if thinking is None or alone.schema is None:
                        return alone
                    return self._compiler.lark(self._grammar.json(alone.schema.text, thinking))
            case RegexConstraint():
                with enforcing("this regular expression", "regex"):
                    alone = self._compiler.regex(wanted.regex)
                    return self._compiler.lark(self._grammar.regex(wanted.regex, thinking)) if thinking else alone
            case ChoiceConstraint():
                with enforcing("this choice", "choice"):
                    alone = self._compiler.choice(wanted.choices)
                    return self._compiler.lark(self._grammar.choice(wanted.choices, thinking)) if thinking else alone
            case GrammarConstraint():
                with enforcing("this grammar", "grammar"):
                    return self._grammar_alone(wanted.grammar, thinking)

    def _grammar_alone(self, grammar: str, thinking: Thinking | None) -> Constraint:
        if thinking is not None:
            raise SchemaUnsupported(
                "the model thinks before it answers, which the grammar has no place for; switch thinking off"
            )
        return self._compiler.grammar(grammar)

    def _thinking(self, request: GenerationRequest, prompt_tokens: list[int]) -> Thinking | None:
        if not (request.split_reasoning or self._format.is_in_messages):
            return None
        is_begun = self._continues_thinking(request)
        pieces = (
            self._model.piece(token, special=True) for token in prompt_tokens[0 if is_begun else -_OPENING_TOKENS :]
        )
        prompt_end = b"".join(pieces).decode("utf-8", "replace")
        return self._format.thinking(prompt_end, is_begun=is_begun, is_split=request.split_reasoning)

    def _continues_thinking(self, request: GenerationRequest) -> bool:
        """Whether the prompt may end within thinking that the conversation's last message begins."""
        prompt, marks = request.prompt, self._format.reasoning or THINK
        if not isinstance(prompt, ChatPrompt) or not prompt.continue_final_message:
            return False
        content = prompt.messages[-1].get("content")
        if isinstance(content, str) and content.strip():
            return content.lstrip().startswith(marks.opening)
        return bool(prompt.messages[-1].get("reasoning_content"))

    def _calls(self, request: GenerationRequest, use: ToolUse, thinking: Thinking | None) -> Constraint | None:
        """Calls held to the tools' schemas; None where the template's form of calls is not known and none has to be made."""
        if self._format.calls is None:
            if use.is_required or use.strict or use.inputs:
                message = "the form of this model's tool calls is not known, so none can be forced or held to a schema"
                raise EngineError(
                    "not_supported_by_model", message, param="tool_choice" if use.is_required else "tools"
                )
            return None
        assert isinstance(request.prompt, ChatPrompt)
        answer = self._json_beside_calls(request.constraint)
        tools = callable_tools(request.prompt, use, self._compiler)
        with enforcing("what these tools' calls are held to", "tools"):
            for narrowed in (list, partial(without_hopeless_schemas, compiler=self._compiler)):
                with suppress(SchemaUnsupported, FormCannotHold):
                    return self._compile_calls(self._format.calls, narrowed(tools), use, thinking, answer)
            return self._compile_calls(self._format.calls, without_schemas(tools), use, thinking, answer)

    def _compile_calls(
        self,
        form: ToolFormat,
        tools: list[CallableTool],
        use: ToolUse,
        thinking: Thinking | None,
        answer: JsonObject | None,
    ) -> Constraint:
        grammar = self._grammar.tools(
            form,
            tools,
            is_required=use.is_required,
            in_parallel=use.in_parallel,
            thinking=thinking,
            answer_schema=answer,
        )
        return self._compiler.lark(grammar)

    def _json_beside_calls(self, wanted: Wanted | None) -> JsonObject | None:
        """The schema of the document that may stand in place of calls. Other texts could not be told from what stands around calls."""
        if wanted is None:
            return None
        if isinstance(wanted, JsonConstraint):
            schema = self._compiler.json(wanted.schema).schema
            return msgspec.json.decode(schema.text) if schema else None
        name = type(wanted).__name__.removesuffix("Constraint").lower()
        raise EngineError("invalid_request", "it cannot stand beside tools; only JSON can", param=name)
