"""The official `openai` package, synchronous and asynchronous, against the live server: every method for served operations."""

import base64
import json
import math
import struct

import openai
import pydantic
import pytest

from tests.live.clients import PERSON_SCHEMA, WEATHER_TOOL, ask, drain, settle


@pytest.fixture(params=["sync", "async"])
async def client(request, server):
    kind = openai.OpenAI if request.param == "sync" else openai.AsyncOpenAI
    client = kind(base_url=f"{server.url}/v1", api_key="unused", max_retries=0)
    yield client
    await settle(client.close())


def chat(client, model, **parameters):
    """A greedy, short chat completion unless `parameters` say otherwise."""
    defaults = {"messages": ask("What is 2 + 3?"), "temperature": 0, "max_completion_tokens": 40}
    return client.chat.completions.create(model=model, **defaults | parameters)


class TestModels:
    async def test_the_list_holds_the_demo_model(self, client, model):
        assert model in [entry.id for entry in await drain(client.models.list())]

    async def test_a_model_can_be_retrieved(self, client, model):
        entry = await settle(client.models.retrieve(model))
        assert (entry.id, entry.object) == (model, "model")
        assert entry.created > 0

    async def test_an_unknown_model_with_slashes_is_not_found_and_the_known_ones_are_named(self, client, model):
        with pytest.raises(openai.NotFoundError) as failure:
            await settle(client.models.retrieve("someone/else:7b"))
        assert failure.value.code == "model_not_found"
        assert model in failure.value.message


class TestChat:
    async def test_it_answers_a_sum(self, client, model):
        completion = await settle(chat(client, model))
        (choice,) = completion.choices
        assert "5" in choice.message.content
        assert (choice.finish_reason, choice.message.role, completion.model) == ("stop", "assistant", model)

    async def test_a_stream_accumulates_to_the_whole_answer(self, client, model):
        whole = await settle(chat(client, model))
        chunks = await drain(chat(client, model, stream=True))
        assert chunks[0].choices[0].delta.role == "assistant"
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole.choices[0].message.content
        assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
        assert len({chunk.id for chunk in chunks}) == 1

    async def test_usage_comes_as_a_last_chunk_without_choices_when_asked(self, client, model):
        whole = await settle(chat(client, model))
        *others, last = await drain(chat(client, model, stream=True, stream_options={"include_usage": True}))
        assert last.choices == []
        assert last.usage.completion_tokens == whole.usage.completion_tokens
        assert last.usage.prompt_tokens == whole.usage.prompt_tokens
        assert all(chunk.usage is None for chunk in others)

    async def test_the_stream_helper_ends_with_the_final_completion(self, client, model):
        manager = client.chat.completions.stream(
            model=model, messages=ask("Hello!"), temperature=0, max_completion_tokens=30
        )
        if isinstance(client, openai.AsyncOpenAI):
            async with manager as stream:
                events = [event async for event in stream]
                final = await stream.get_final_completion()
        else:
            with manager as stream:
                events = list(stream)
                final = stream.get_final_completion()
        assert {"chunk", "content.delta", "content.done"} <= {event.type for event in events}
        assert final.choices[0].message.content

    async def test_max_completion_tokens_cuts_and_says_so(self, client, model):
        completion = await settle(chat(client, model, max_completion_tokens=1, logit_bias={}))
        assert completion.choices[0].finish_reason == "length"
        assert completion.usage.completion_tokens == 1

    async def test_a_stop_string_ends_the_answer_and_is_not_in_it(self, client, model):
        whole = (await settle(chat(client, model))).choices[0].message.content
        stop = whole[2:5]
        cut = (await settle(chat(client, model, stop=[stop]))).choices[0]
        assert cut.message.content == whole[: whole.index(stop)]
        assert cut.finish_reason == "stop"

    async def test_n_answers_are_numbered_and_share_the_prompt(self, client, model):
        completion = await settle(chat(client, model, n=3, temperature=1.5, seed=7))
        assert [choice.index for choice in completion.choices] == [0, 1, 2]
        single = await settle(chat(client, model, seed=7))
        assert completion.usage.prompt_tokens == single.usage.prompt_tokens

    async def test_the_same_seed_gives_the_same_answer(self, client, model):
        texts = [
            (await settle(chat(client, model, temperature=2, seed=11))).choices[0].message.content for _ in range(2)
        ]
        assert texts[0] == texts[1]

    async def test_log_probabilities_come_with_bytes_and_alternatives(self, client, model):
        completion = await settle(chat(client, model, logprobs=True, top_logprobs=3))
        tokens = completion.choices[0].logprobs.content
        text = b"".join(bytes(token.bytes) for token in tokens)
        assert text.decode() == completion.choices[0].message.content
        assert all(len(token.top_logprobs) == 3 and token.logprob <= 0 for token in tokens)
        assert all(token.top_logprobs[0].token == token.token for token in tokens), "greedy takes the likeliest token"

    async def test_streamed_log_probabilities_equal_the_whole_ones(self, client, model):
        whole = await settle(chat(client, model, logprobs=True, top_logprobs=2))
        chunks = await drain(chat(client, model, logprobs=True, top_logprobs=2, stream=True))
        streamed = [
            token for chunk in chunks if chunk.choices[0].logprobs for token in chunk.choices[0].logprobs.content
        ]
        assert [token.token for token in streamed] == [token.token for token in whole.choices[0].logprobs.content]

    async def test_a_json_schema_binds_the_answer(self, client, model):
        response_format = {
            "type": "json_schema",
            "json_schema": {"name": "person", "schema": PERSON_SCHEMA, "strict": True},
        }
        completion = await settle(chat(client, model, response_format=response_format, max_completion_tokens=200))
        person = json.loads(completion.choices[0].message.content)
        assert set(person) == {"name", "age"}
        assert 0 <= person["age"] <= 150

    async def test_json_object_mode_answers_an_object(self, client, model):
        completion = await settle(
            chat(client, model, response_format={"type": "json_object"}, max_completion_tokens=1000, logit_bias={})
        )
        if completion.choices[0].finish_reason == "stop":
            assert isinstance(json.loads(completion.choices[0].message.content), dict)
        else:
            assert completion.choices[0].message.content.startswith("{")

    async def test_parse_returns_the_pydantic_model(self, client, model):
        class Verdict(pydantic.BaseModel):
            right: bool

        completion = await settle(
            client.chat.completions.parse(
                model=model,
                messages=ask("Is 2 + 2 = 4?"),
                response_format=Verdict,
                temperature=0,
                max_completion_tokens=60,
            )
        )
        assert isinstance(completion.choices[0].message.parsed.right, bool)

    async def test_an_offered_tool_is_called(self, client, model):
        question = ask("What is the weather in Paris?")
        completion = await settle(
            chat(client, model, messages=question, tools=[WEATHER_TOOL], max_completion_tokens=100)
        )
        (choice,) = completion.choices
        assert choice.finish_reason == "tool_calls"
        (call,) = choice.message.tool_calls
        assert (call.type, call.function.name) == ("function", "get_weather")
        assert "city" in json.loads(call.function.arguments)

    async def test_a_forced_strict_call_parses_into_its_model(self, client, model):
        class Person(pydantic.BaseModel):
            name: str = pydantic.Field(max_length=20)
            age: int

        completion = await settle(
            client.chat.completions.parse(
                model=model,
                messages=ask("Hello!"),
                tools=[openai.pydantic_function_tool(Person)],
                tool_choice={"type": "function", "function": {"name": "Person"}},
                parallel_tool_calls=False,
                temperature=0,
                max_completion_tokens=150,
            )
        )
        (call,) = completion.choices[0].message.tool_calls
        assert isinstance(call.function.parsed_arguments, Person)

    async def test_functions_in_the_older_form_are_called_in_that_form(self, client, model):
        request = {"functions": [WEATHER_TOOL["function"]], "function_call": {"name": "get_weather"}}
        completion = await settle(
            chat(client, model, messages=ask("What is the weather in Paris?"), max_completion_tokens=100, **request)
        )
        (choice,) = completion.choices
        assert choice.finish_reason == "function_call"
        assert choice.message.function_call.name == "get_weather"
        assert "city" in json.loads(choice.message.function_call.arguments)

    async def test_a_streamed_tool_call_accumulates_to_the_whole_one(self, client, model):
        request = {
            "messages": ask("What is the weather in Paris?"),
            "tools": [WEATHER_TOOL],
            "max_completion_tokens": 100,
        }
        whole = (await settle(chat(client, model, **request))).choices[0].message.tool_calls[0]
        chunks = await drain(chat(client, model, stream=True, **request))
        deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
        assert deltas[0].id
        assert deltas[0].function.name == whole.function.name
        assert "".join(delta.function.arguments or "" for delta in deltas) == whole.function.arguments
        assert chunks[-1].choices[0].finish_reason == "tool_calls"

    async def test_a_tool_result_is_answered_in_words(self, client, model):
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
        }
        messages = [
            *ask("What is the weather in Paris?"),
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"temperature": 21, "sky": "sunny"}'},
        ]
        completion = await settle(
            chat(client, model, messages=messages, tools=[WEATHER_TOOL], max_completion_tokens=80)
        )
        assert completion.choices[0].finish_reason == "stop"
        assert completion.choices[0].message.content

    async def test_content_parts_are_read_as_text(self, client, model):
        parts = [{"role": "user", "content": [{"type": "text", "text": "What is 2 + 3?"}]}]
        by_parts = await settle(chat(client, model, messages=parts))
        assert by_parts.choices[0].message.content == (await settle(chat(client, model))).choices[0].message.content

    async def test_the_raw_response_carries_the_request_id_and_the_time_it_took(self, client, model):
        raw = await settle(
            client.chat.completions.with_raw_response.create(
                model=model, messages=ask("Hello!"), max_completion_tokens=5
            )
        )
        assert raw.headers["x-request-id"]
        assert int(raw.headers["openai-processing-ms"]) >= 0
        assert (await settle(raw.parse())).usage.completion_tokens <= 5

    async def test_an_unsupported_parameter_is_refused_by_name(self, client, model):
        with pytest.raises(openai.BadRequestError) as failure:
            await settle(chat(client, model, store=True))
        assert (failure.value.param, failure.value.code) == ("store", "unsupported_parameter")

    async def test_an_own_extension_goes_in_the_extra_body(self, client, model):
        completion = await settle(
            chat(client, model, max_completion_tokens=50, extra_body={"ignore_eos": True, "top_k": 1, "min_p": 0.1})
        )
        assert completion.usage.completion_tokens == 50

    async def test_a_value_out_of_range_names_the_field(self, client, model):
        with pytest.raises(openai.BadRequestError) as failure:
            await settle(chat(client, model, temperature=3))
        assert failure.value.param == "temperature"

    async def test_an_unknown_model_is_not_found_before_a_stream_begins(self, client):
        with pytest.raises(openai.NotFoundError) as failure:
            await settle(chat(client, "nobody", stream=True))
        assert failure.value.code == "model_not_found"

    async def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(self, client, model):
        with pytest.raises(openai.BadRequestError) as failure:
            await settle(chat(client, model, messages=ask("word " * 20_000)))
        assert failure.value.code == "context_length_exceeded"
        assert sum(any(c.isdigit() for c in word) for word in failure.value.message.split()) >= 2


class TestCompletions:
    async def test_it_continues_a_prompt(self, client, model):
        completion = await settle(client.completions.create(model=model, prompt="1 2 3", max_tokens=5, temperature=0))
        assert completion.object == "text_completion"
        assert completion.choices[0].finish_reason in {"stop", "length"}

    async def test_each_of_several_prompts_gets_its_choices_in_order(self, client, model):
        completion = await settle(
            client.completions.create(model=model, prompt=["one", "two"], n=2, max_tokens=3, temperature=1, echo=True)
        )
        assert [choice.index for choice in completion.choices] == [0, 1, 2, 3]
        assert [choice.text[:3] for choice in completion.choices] == ["one", "one", "two", "two"]

    async def test_token_prompts_equal_text_prompts(self, client, model, http):
        tokens = http.post("/v1/tokenize", json={"model": model, "text": "1 2 3"}).json()["tokens"]
        by_text = await settle(client.completions.create(model=model, prompt="1 2 3", max_tokens=8, temperature=0))
        by_tokens = await settle(client.completions.create(model=model, prompt=tokens, max_tokens=8, temperature=0))
        assert by_tokens.choices[0].text == by_text.choices[0].text

    async def test_echo_with_log_probabilities_starts_with_the_prompt(self, client, model):
        completion = await settle(
            client.completions.create(model=model, prompt="1 2 3", max_tokens=2, temperature=0, echo=True, logprobs=2)
        )
        choice = completion.choices[0]
        assert choice.text.startswith("1 2 3")
        assert choice.logprobs.token_logprobs[0] is None
        assert choice.logprobs.text_offset[0] == 0
        lengths = {len(choice.logprobs.tokens), len(choice.logprobs.token_logprobs), len(choice.logprobs.text_offset)}
        assert len(lengths) == 1

    async def test_a_stream_accumulates_to_the_whole_text(self, client, model):
        request = {"model": model, "prompt": "The capital of France is", "max_tokens": 12, "temperature": 0}
        whole = await settle(client.completions.create(**request))
        chunks = await drain(client.completions.create(stream=True, **request))
        assert "".join(chunk.choices[0].text for chunk in chunks) == whole.choices[0].text

    async def test_best_of_returns_n_choices_and_counts_all(self, client, model):
        completion = await settle(
            client.completions.create(model=model, prompt="1 2", max_tokens=4, best_of=3, n=1, temperature=1, seed=1)
        )
        assert len(completion.choices) == 1
        assert completion.usage.completion_tokens >= 4


class TestEmbeddings:
    async def test_one_text_gives_one_unit_vector(self, client, model):
        response = await settle(client.embeddings.create(model=model, input="hello"))
        (entry,) = response.data
        assert math.isclose(sum(value * value for value in entry.embedding), 1, rel_tol=1e-3)

    async def test_several_inputs_keep_their_order(self, client, model):
        one = await settle(client.embeddings.create(model=model, input="hello"))
        several = await settle(client.embeddings.create(model=model, input=["good bye", "hello"]))
        assert [entry.index for entry in several.data] == [0, 1]
        similarity = sum(a * b for a, b in zip(one.data[0].embedding, several.data[1].embedding, strict=True))
        assert similarity > 0.999

    async def test_base64_holds_the_floats(self, client, model):
        floats = await settle(client.embeddings.create(model=model, input="hello", encoding_format="float"))
        packed = await settle(client.embeddings.create(model=model, input="hello", encoding_format="base64"))
        raw = base64.b64decode(packed.data[0].embedding)
        values = struct.unpack(f"<{len(raw) // 4}f", raw)
        assert values == pytest.approx(floats.data[0].embedding, abs=1e-3)

    async def test_dimensions_cut_and_renormalise(self, client, model):
        response = await settle(client.embeddings.create(model=model, input="hello", dimensions=8))
        vector = response.data[0].embedding
        assert len(vector) == 8
        assert math.isclose(sum(value * value for value in vector), 1, rel_tol=1e-3)

    async def test_token_inputs_are_accepted(self, client, model, http):
        tokens = http.post("/v1/tokenize", json={"model": model, "text": "hello"}).json()["tokens"]
        response = await settle(client.embeddings.create(model=model, input=[tokens, tokens]))
        assert len(response.data) == 2
        assert response.usage.prompt_tokens >= 2 * len(tokens)


async def test_an_operation_that_is_not_served_says_so(client):
    with pytest.raises(openai.NotFoundError) as failure:
        await settle(client.moderations.create(input="hello"))
    assert failure.value.code == "operation_not_served"
