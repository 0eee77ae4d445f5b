"""`/v1/responses` as the official client sees it: whole, streamed and parsed, tools and thinking given back, and what is refused."""

import json

import httpx
import openai
import pytest
from pydantic import BaseModel, Field

from tests.launch import serving
from tests.live.clients import PERSON_SCHEMA
from tests.thinking_model import write_thinking_model

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "The city's name"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"type": "function", "name": "get_weather", "description": "The weather in a city", "parameters": CITY}
CODE = {
    "type": "custom",
    "name": "run_code",
    "description": "Runs code",
    "format": {"type": "grammar", "syntax": "regex", "definition": r'print\("[a-z]{1,6}"\)\n'},
}
QUESTION = "What is the weather in Paris?"
LAST = {"response.completed", "response.incomplete", "response.failed"}


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as made:
        yield made


@pytest.fixture
def respond(client, model):
    """A greedy response."""

    def create(given, **fields):
        return client.responses.create(
            model=model, input=given, **{"temperature": 0, "max_output_tokens": 60, **fields}
        )

    return create


@pytest.fixture(scope="module")
def thinking(tmp_path_factory):
    """A server of a model that thinks."""
    file = write_thinking_model(tmp_path_factory.mktemp("models") / "thinker.gguf", marks_are_tokens=True)
    with serving(tmp_path_factory.mktemp("thinking"), "--model", str(file)) as running:
        yield running


def events_of(stream):
    """A stream's events, which are numbered without a gap and have exactly one end."""
    events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events if event.type in LAST] == [events[-1].type]
    return events


def texts(output):
    """What an output says, without its ids."""
    return [item.model_dump(exclude={"id", "call_id"}) for item in output]


class TestText:
    def test_a_question_is_answered(self, respond):
        response = respond("What is the capital of France?")
        assert response.output_text == "The capital of France is Paris."
        assert (response.status, response.store, response.error) == ("completed", False, None)
        usage = response.usage
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
        assert (
            usage.input_tokens_details.cached_tokens + usage.input_tokens_details.cache_write_tokens
            == usage.input_tokens
        )

    def test_a_stream_amounts_to_the_whole(self, respond):
        events = events_of(respond("What is the capital of France?", stream=True))
        whole = respond("What is the capital of France?")
        assert texts(events[-1].response.output) == texts(whole.output)
        deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
        assert "".join(deltas) == whole.output_text

    def test_the_clients_own_accumulation_agrees(self, client, model):
        with client.responses.stream(model=model, input="Hello!", temperature=0, max_output_tokens=40) as stream:
            told = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
            final = stream.get_final_response()
        assert final.output_text == told != ""

    def test_events_have_names_and_no_mark_at_the_end(self, server, model):
        body = {"model": model, "input": "Hello!", "stream": True, "max_output_tokens": 16}
        frames = httpx.post(f"{server.url}/v1/responses", json=body).text.strip().split("\n\n")
        for frame in frames:
            name, data = frame.split("\n")
            assert name == f"event: {json.loads(data.removeprefix('data: '))['type']}"

    def test_a_turn_is_given_back_as_it_came(self, respond):
        first = respond("What is the capital of France?")
        told = [{"role": "user", "content": "What is the capital of France?"}, *first.output]
        second = respond([*told, {"role": "user", "content": "What is 2 + 3?"}], instructions="You are helpful.")
        assert "5" in second.output_text
        assert second.instructions == "You are helpful."

    def test_at_its_limit_it_is_incomplete(self, respond):
        fields = {"max_output_tokens": 16, "extra_body": {"ignore_eos": True}}
        response = respond("Hello!", **fields)
        assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
        assert response.output[-1].status == "incomplete"
        assert events_of(respond("Hello!", stream=True, **fields))[-1].type == "response.incomplete"

    def test_log_probabilities_come_where_asked_for(self, respond):
        fields = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
        tokens = respond("Hello!", **fields).output[0].content[0].logprobs
        assert all(len(token.top_logprobs) == 2 for token in tokens)
        streamed = events_of(respond("Hello!", stream=True, **fields))
        told = [
            each.token for event in streamed if event.type == "response.output_text.delta" for each in event.logprobs
        ]
        assert told == [token.token for token in tokens]

    def test_a_long_conversation_is_refused_or_cut_as_asked(self, server, client, model):
        turns = [{"role": "user", "content": "one two three four five six seven eight"}] * 2000
        with pytest.raises(openai.BadRequestError) as failure:
            client.responses.create(model=model, input=turns)
        assert failure.value.code == "context_length_exceeded"
        cut = client.responses.create(model=model, input=turns, truncation="auto", max_output_tokens=16)
        assert cut.truncation == "auto"


class TestFormats:
    def test_an_answer_is_parsed_into_a_model(self, client, model):
        class Person(BaseModel):
            name: str = Field(max_length=20)
            age: int = Field(ge=0, le=150)

        parsed = client.responses.parse(model=model, input="Invent a person.", text_format=Person, max_output_tokens=80)
        assert isinstance(parsed.output_parsed, Person)

    def test_a_schema_is_kept_in_streams_too(self, respond):
        form = {"format": {"type": "json_schema", "name": "person", "schema": PERSON_SCHEMA, "strict": True}}
        events = events_of(respond("Invent a person.", text=form, stream=True, max_output_tokens=80))
        person = json.loads(events[-1].response.output_text)
        assert set(person) == {"name", "age"}


class TestTools:
    def test_a_call_is_made_and_its_output_is_told(self, respond):
        first = respond(QUESTION, tools=[WEATHER])
        [call] = first.output
        assert (call.type, call.name, json.loads(call.arguments)) == ("function_call", "get_weather", {"city": "Paris"})
        output = {"type": "function_call_output", "call_id": call.call_id, "output": '{"sky": "clear"}'}
        told = [{"role": "user", "content": QUESTION}, *first.output, output]
        assert "clear" in respond(told, tools=[WEATHER]).output_text

    def test_a_call_is_streamed_by_its_arguments(self, respond):
        events = events_of(respond(QUESTION, tools=[WEATHER], stream=True))
        deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
        [call] = events[-1].response.output
        assert "".join(deltas) == call.arguments
        assert texts([call]) == texts(respond(QUESTION, tools=[WEATHER]).output)

    def test_the_clients_helper_follows_a_call(self, client, model):
        with client.responses.stream(
            model=model, input=QUESTION, tools=[{**WEATHER, "strict": True}], temperature=0
        ) as stream:
            final = stream.get_final_response()
        assert final.output[0].name == "get_weather"

    def test_several_calls_are_several_items(self, respond):
        response = respond("What is the weather in Paris and in Rome?", tools=[WEATHER], max_output_tokens=100)
        calls = [item for item in response.output if item.type == "function_call"]
        assert len({call.call_id for call in calls}) == len(calls) >= 1

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_custom_tool_gets_text_of_its_grammar(self, respond, stream):
        choice = {"type": "custom", "name": "run_code"}
        answer = respond("Print hello", tools=[WEATHER, CODE], tool_choice=choice, stream=stream)
        response = events_of(answer)[-1].response if stream else answer
        call = response.output[0]
        assert (call.type, call.input.startswith('print("')) == ("custom_tool_call", True)
        output = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "hello"}
        told = [{"role": "user", "content": "Print hello"}, *response.output, output]
        assert respond(told, tools=[CODE], tool_choice="none").output_text


class TestThinking:
    @pytest.fixture
    def ask(self, thinking):
        with openai.OpenAI(base_url=f"{thinking.url}/v1", api_key="any", max_retries=0) as client:

            def create(given="What is the capital of France?", **fields):
                defaults = {"temperature": 0, "max_output_tokens": 60, "extra_body": {"reasoning_budget_tokens": 4}}
                return client.responses.create(model="thinker", input=given, **{**defaults, **fields})

            yield create

    def test_thinking_is_an_item_before_the_message_and_is_counted(self, ask):
        response = ask()
        assert [item.type for item in response.output] == ["reasoning", "message"]
        thought, said = response.output
        assert thought.content[0].text
        assert thought.summary == []
        assert "think>" not in said.content[0].text
        assert 4 < response.usage.output_tokens_details.reasoning_tokens < response.usage.output_tokens

    def test_a_stream_tells_the_same_thinking(self, ask):
        events = events_of(ask(stream=True))
        told = "".join(event.delta for event in events if event.type == "response.reasoning_text.delta")
        assert told == ask().output[0].content[0].text
        assert texts(events[-1].response.output) == texts(ask().output)

    def test_effort_none_gives_an_answer_at_once(self, ask):
        assert [item.type for item in ask(reasoning={"effort": "none"}, extra_body={}).output] == ["message"]

    def test_thinking_given_back_is_shown_to_the_model_in_whichever_form(self, ask):
        first = ask(include=["reasoning.encrypted_content"])
        thought, said = first.output
        kept = {"type": "reasoning", "id": thought.id, "summary": [], "encrypted_content": thought.encrypted_content}
        question, again = {"role": "user", "content": "Hi"}, {"role": "user", "content": "Sure?"}
        counts = [ask([question, *thoughts, said, again]).usage.input_tokens for thoughts in ([], [thought], [kept])]
        assert counts[0] < counts[1] == counts[2]


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "param"),
        [
            ({"store": True}, "store"),
            ({"previous_response_id": "resp_1"}, "previous_response_id"),
            ({"conversation": "conv_1"}, "conversation"),
            ({"background": True}, "background"),
            ({"prompt": {"id": "pmpt_1"}}, "prompt"),
            ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
            ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0]"),
            ({"include": ["file_search_call.results"]}, "include[0]"),
            ({"text": {"verbosity": "high"}}, "text.verbosity"),
            ({"reasoning": {"summary": "detailed"}}, "reasoning.summary"),
            ({"reasoning": {"effort": "high"}}, "reasoning.effort"),
            ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
            ({"service_tier": "flex"}, "service_tier"),
        ],
    )
    def test_what_is_not_honoured_is_refused_by_name(self, client, model, fields, param):
        with pytest.raises(openai.BadRequestError) as failure:
            client.responses.create(**{"model": model, "input": "Hi", **fields})
        assert (failure.value.code, failure.value.param) == ("unsupported_parameter", param)

    @pytest.mark.parametrize("tool", [{"type": "web_search"}, {"type": "mcp", "server_label": "x"}])
    def test_hosted_tools_are_refused_by_their_type(self, client, model, tool):
        with pytest.raises(openai.BadRequestError) as failure:
            client.responses.create(model=model, input="Hi", tools=[WEATHER, tool])
        assert failure.value.param == "tools[1].type"

    def test_a_picture_is_refused_by_a_model_that_does_not_see(self, client, model):
        picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}
        with pytest.raises(openai.BadRequestError, match="takes no pictures") as failure:
            client.responses.create(model=model, input=[{"role": "user", "content": [picture]}])
        assert failure.value.param == "input[0].content[0]"

    def test_an_unknown_model_is_not_found_even_by_a_stream(self, client):
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="nobody", input="Hi", stream=True)
