"""Agent frameworks run their whole loop against the live server: the model calls the tool, it runs, the model answers with its result."""

import httpx
import openai
import pydantic
import pytest
from langchain.agents import create_agent
from langchain_ollama import ChatOllama
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.messages import ToolCallPart, ToolReturnPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

QUESTION = "What is the weather in Paris?"
SHORT = ModelSettings(temperature=0, max_tokens=150)


class Person(pydantic.BaseModel):
    """A person's name and age."""

    name: str = pydantic.Field(max_length=20)
    age: int = pydantic.Field(ge=0, le=150)


@pytest.fixture
def asked():
    """The cities that the tool was asked about."""
    return []


@pytest.fixture
def weather_tool(asked):
    def get_weather(city: str) -> str:
        """The weather in a city"""
        asked.append(city)
        return "21 degrees and sunny"

    return get_weather


class TestLangChain:
    @pytest.fixture(params=["openai", "ollama"])
    async def agent(self, request, server, model, weather_tool):
        if request.param == "openai":
            # clients of their own, because the default ones are shared between event loops
            with httpx.Client() as client:
                async with httpx.AsyncClient() as async_client:
                    chat = ChatOpenAI(
                        base_url=f"{server.url}/v1",
                        api_key="unused",
                        model=model,
                        temperature=0,
                        max_completion_tokens=100,
                        http_client=client,
                        http_async_client=async_client,
                    )
                    yield create_agent(chat, [weather_tool])
        else:
            chat = ChatOllama(base_url=server.url, model=model, temperature=0, num_predict=100)
            yield create_agent(chat, [weather_tool])
            chat._client.close()  # LangChain never does
            await chat._async_client.close()

    def test_the_agent_calls_the_tool_and_answers(self, agent, asked):
        messages = agent.invoke({"messages": [("user", QUESTION)]})["messages"]
        assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
        assert asked == [messages[1].tool_calls[0]["args"]["city"]]
        assert messages[-1].content

    async def test_its_steps_are_streamed_to_the_same_end(self, agent, asked):
        updates = [update async for update in agent.astream({"messages": [("user", QUESTION)]}, stream_mode="updates")]
        assert [name for update in updates for name in update] == ["model", "tools", "model"]
        assert len(asked) == 1

    async def test_its_tokens_are_streamed(self, agent, asked):
        stream = agent.astream({"messages": [("user", QUESTION)]}, stream_mode="messages")
        streamed = [chunk.content async for chunk, _ in stream if chunk.type == "AIMessageChunk"]
        whole = await agent.ainvoke({"messages": [("user", QUESTION)]})
        assert "".join(streamed) == whole["messages"][-1].content
        assert len(asked) == 2


class TestPydanticAi:
    @pytest.fixture
    async def chat(self, server, model):
        async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="unused", max_retries=0) as client:
            yield OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))

    async def test_the_agent_calls_the_tool_and_answers(self, chat, weather_tool, asked):
        result = await Agent(chat, tools=[weather_tool], model_settings=SHORT).run(QUESTION)
        parts = [part for message in result.all_messages() for part in message.parts]
        (call,) = [part for part in parts if isinstance(part, ToolCallPart)]
        (answer,) = [part for part in parts if isinstance(part, ToolReturnPart)]
        assert asked == [call.args_as_dict()["city"]]
        assert answer.tool_call_id == call.tool_call_id
        assert result.output
        assert result.usage.requests == 2

    async def test_a_streamed_run_calls_the_tool_and_ends_with_the_same_answer(self, chat, weather_tool, asked):
        agent = Agent(chat, tools=[weather_tool], model_settings=SHORT)
        async with agent.run_stream(QUESTION) as stream:
            text = "".join([piece async for piece in stream.stream_text(delta=True)])
        assert text == (await agent.run(QUESTION)).output
        assert len(asked) == 2

    @pytest.mark.parametrize("output_type", [Person, NativeOutput(Person)], ids=["by a tool", "by a schema"])
    async def test_structured_output_is_the_model_asked_for(self, chat, output_type):
        result = await Agent(chat, output_type=output_type, model_settings=SHORT).run("Ada is 36 years old.")
        assert isinstance(result.output, Person)

    async def test_structured_output_is_streamed(self, chat):
        agent = Agent(chat, output_type=Person, model_settings=SHORT)
        async with agent.run_stream("Ada is 36 years old.") as stream:
            assert isinstance(await stream.get_output(), Person)
