"""The official `ollama` package, synchronous and asynchronous, against the live server: every method for served operations."""

import json

import httpx
import ollama
import pytest

from tests.live.clients import PERSON_SCHEMA, WEATHER_TOOL, ask, drain, settle

GREEDY = {"temperature": 0, "num_predict": 40}


@pytest.fixture(params=["sync", "async"])
async def client(request, server):
    client = ollama.Client(server.url) if request.param == "sync" else ollama.AsyncClient(server.url)
    yield client
    await settle(client.close())


class TestModels:
    async def test_the_list_holds_the_demo_model(self, client, model):
        entries = (await settle(client.list())).models
        (entry,) = [entry for entry in entries if entry.model in {model, f"{model}:latest"}]
        assert entry.size > 0
        assert len(entry.digest) == 64
        assert entry.details.format == "gguf"

    async def test_a_used_model_is_among_the_running_ones(self, client, model):
        await settle(client.generate(model=model, prompt="1", options=GREEDY))
        running = (await settle(client.ps())).models
        assert any(entry.name in {model, f"{model}:latest"} for entry in running)

    async def test_show_describes_the_model(self, client, model):
        shown = await settle(client.show(model))
        assert shown.template
        assert shown.details.family == "llama"
        assert {"completion", "tools"} <= set(shown.capabilities)
        assert shown.modelinfo["general.architecture"] == "llama"

    async def test_an_unknown_model_is_not_found(self, client):
        with pytest.raises(ollama.ResponseError) as failure:
            await settle(client.show("nobody"))
        assert failure.value.status_code == 404


class TestGenerate:
    async def test_it_answers_with_counts_and_durations(self, client, model):
        answer = await settle(client.generate(model=model, prompt="What is 2 + 3?", options=GREEDY))
        assert answer.response
        assert (answer.done, answer.done_reason) == (True, "stop")
        assert answer.prompt_eval_count > 0
        assert answer.eval_count > 0
        assert 0 < answer.eval_duration <= answer.total_duration

    async def test_a_stream_accumulates_to_the_whole_answer(self, client, model):
        whole = await settle(client.generate(model=model, prompt="What is 2 + 3?", options=GREEDY))
        parts = await drain(client.generate(model=model, prompt="What is 2 + 3?", options=GREEDY, stream=True))
        assert "".join(part.response for part in parts) == whole.response
        assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
        assert parts[-1].eval_count == whole.eval_count

    async def test_context_continues_the_conversation(self, client, model):
        first = await settle(client.generate(model=model, prompt="Hello!", options=GREEDY))
        second = await settle(
            client.generate(model=model, prompt="What is 1 + 1?", context=first.context, options=GREEDY)
        )
        assert len(second.context) > len(first.context)

    async def test_raw_takes_the_prompt_as_it_stands(self, client, model):
        raw = await settle(client.generate(model=model, prompt="1 2 3", raw=True, options=GREEDY))
        cooked = await settle(client.generate(model=model, prompt="1 2 3", options=GREEDY))
        assert raw.prompt_eval_count < cooked.prompt_eval_count
        assert raw.context is None

    async def test_a_system_prompt_is_part_of_the_prompt(self, client, model):
        plain = await settle(client.generate(model=model, prompt="Hello!", options=GREEDY))
        guided = await settle(client.generate(model=model, prompt="Hello!", system="You are a pirate.", options=GREEDY))
        assert guided.prompt_eval_count != plain.prompt_eval_count

    async def test_num_predict_cuts_and_says_so(self, client, model):
        answer = await settle(
            client.generate(model=model, prompt="Hello!", options={"num_predict": 1, "temperature": 0})
        )
        assert (answer.done_reason, answer.eval_count) == ("length", 1)

    async def test_a_stop_string_is_not_in_the_answer(self, client, model):
        whole = (await settle(client.generate(model=model, prompt="What is 2 + 3?", options=GREEDY))).response
        cut = await settle(
            client.generate(model=model, prompt="What is 2 + 3?", options=GREEDY | {"stop": [whole[2:4]]})
        )
        assert cut.response == whole[: whole.index(whole[2:4])]

    async def test_a_schema_binds_the_answer(self, client, model):
        answer = await settle(
            client.generate(
                model=model, prompt="Ada is 36.", format=PERSON_SCHEMA, options=GREEDY | {"num_predict": 200}
            )
        )
        assert set(json.loads(answer.response)) == {"name", "age"}

    async def test_log_probabilities_cover_the_answer(self, client, model):
        answer = await settle(
            client.generate(model=model, prompt="What is 2 + 3?", logprobs=True, top_logprobs=2, options=GREEDY)
        )
        assert "".join(entry.token for entry in answer.logprobs) == answer.response
        assert all(len(entry.top_logprobs) == 2 for entry in answer.logprobs)

    async def test_an_empty_prompt_loads_the_model(self, client, model):
        answer = await settle(client.generate(model=model))
        assert (answer.done_reason, answer.response) == ("load", "")

    async def test_thinking_is_refused_by_a_model_that_cannot(self, client, model):
        with pytest.raises(ollama.ResponseError, match="think") as failure:
            await settle(client.generate(model=model, prompt="Hello!", think=True))
        assert failure.value.status_code == 400

    async def test_an_unknown_model_is_not_found_before_a_stream_begins(self, client):
        with pytest.raises(ollama.ResponseError) as failure:
            await drain(client.generate(model="nobody", prompt="Hello!", stream=True))
        assert failure.value.status_code == 404


class TestChat:
    async def test_it_answers_a_sum(self, client, model):
        answer = await settle(client.chat(model=model, messages=ask("What is 2 + 3?"), options=GREEDY))
        assert "5" in answer.message.content
        assert (answer.message.role, answer.done_reason) == ("assistant", "stop")

    async def test_a_stream_accumulates_to_the_whole_answer(self, client, model):
        request = {"model": model, "messages": ask("What is 2 + 3?"), "options": GREEDY}
        whole = await settle(client.chat(**request))
        parts = await drain(client.chat(stream=True, **request))
        assert "".join(part.message.content for part in parts) == whole.message.content
        assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]

    async def test_an_offered_tool_is_called_with_an_object(self, client, model):
        answer = await settle(
            client.chat(
                model=model,
                messages=ask("What is the weather in Paris?"),
                tools=[WEATHER_TOOL],
                options=GREEDY | {"num_predict": 100},
            )
        )
        (call,) = answer.message.tool_calls
        assert call.function.name == "get_weather"
        assert "city" in call.function.arguments

    async def test_a_tool_result_is_answered_in_words(self, client, model):
        messages = [
            *ask("What is the weather in Paris?"),
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "get_weather", "arguments": {"city": "Paris"}}}],
            },
            {"role": "tool", "tool_name": "get_weather", "content": "21 degrees and sunny"},
        ]
        answer = await settle(client.chat(model=model, messages=messages, tools=[WEATHER_TOOL], options=GREEDY))
        assert answer.message.content

    async def test_a_function_is_a_tool_whose_result_is_answered(self, client, model):
        def get_weather(city: str) -> str:
            """
            The weather in a city

            Args:
              city: The city's name
            """
            return f"21 degrees and sunny in {city}"

        request = {"model": model, "tools": [get_weather], "options": GREEDY | {"num_predict": 100}}
        messages = ask("What is the weather in Paris?")
        asked = await settle(client.chat(messages=messages, **request))
        (call,) = asked.message.tool_calls
        reply = {"role": "tool", "tool_name": call.function.name, "content": get_weather(**call.function.arguments)}
        answer = await settle(client.chat(messages=[*messages, asked.message, reply], **request))
        assert answer.message.content
        assert not answer.message.tool_calls

    async def test_a_streamed_call_comes_whole_and_once(self, client, model):
        request = {
            "model": model,
            "messages": ask("What is the weather in Paris and in Rome?"),
            "tools": [WEATHER_TOOL],
            "options": GREEDY | {"num_predict": 100},
        }
        whole = await settle(client.chat(**request))
        parts = await drain(client.chat(stream=True, **request))
        streamed = [call for part in parts for call in part.message.tool_calls or ()]
        assert [call.function for call in streamed] == [call.function for call in whole.message.tool_calls]
        assert parts[-1].done_reason == whole.done_reason == "stop"

    async def test_json_format_answers_json(self, client, model):
        answer = await settle(
            client.chat(
                model=model, messages=ask("Ada is 36."), format=PERSON_SCHEMA, options=GREEDY | {"num_predict": 200}
            )
        )
        assert set(json.loads(answer.message.content)) == {"name", "age"}

    async def test_no_messages_load_the_model(self, client, model):
        answer = await settle(client.chat(model=model, messages=[]))
        assert answer.done_reason == "load"

    async def test_keep_alive_takes_durations(self, client, model):
        await settle(client.chat(model=model, messages=ask("Hello!"), keep_alive="10m", options=GREEDY))
        (entry,) = (await settle(client.ps())).models
        assert entry.expires_at is not None


class TestEmbeddings:
    async def test_inputs_keep_their_order(self, client, model):
        answer = await settle(client.embed(model=model, input=["hello", "good bye", "hello"]))
        first, second, third = answer.embeddings
        assert first == pytest.approx(third, abs=1e-4)
        assert first != pytest.approx(second, abs=1e-2)
        assert answer.prompt_eval_count > 0

    async def test_dimensions_cut(self, client, model):
        answer = await settle(client.embed(model=model, input="hello", dimensions=8))
        assert len(answer.embeddings[0]) == 8

    async def test_too_long_an_input_is_cut_unless_refused(self, client, model):
        long = "word " * 20_000
        assert (await settle(client.embed(model=model, input=long))).embeddings
        with pytest.raises(ollama.ResponseError) as failure:
            await settle(client.embed(model=model, input=long, truncate=False))
        assert failure.value.status_code == 400

    async def test_the_legacy_call_answers_one_vector(self, client, model):
        answer = await settle(client.embeddings(model=model, prompt="hello"))
        assert len(answer.embedding) > 8


def test_the_version_is_recent_enough_for_clients_that_compare_it(server):
    version = httpx.get(f"{server.url}/api/version").json()["version"]
    needed_for_tool_calls_in_streams = (0, 8, 0)
    assert tuple(map(int, version.split("."))) >= needed_for_tool_calls_in_streams
