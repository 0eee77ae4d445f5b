"""LangChain's OpenAI and Ollama integrations against the live server: invoke, stream, batch, tools, structured output."""

from contextlib import asynccontextmanager

import httpx
import pydantic
import pytest
from langchain_ollama import ChatOllama, OllamaEmbeddings, OllamaLLM
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

from tests.live.clients import WEATHER_TOOL


class Person(pydantic.BaseModel):
    """A person's name and age."""

    name: str = pydantic.Field(max_length=20)
    age: int = pydantic.Field(ge=0, le=150)


@asynccontextmanager
async def closing(langchain_ollama):
    """LangChain's Ollama classes never close the HTTP clients that they make."""
    yield langchain_ollama
    langchain_ollama._client.close()
    await langchain_ollama._async_client.close()


@pytest.fixture
async def openai_settings(server, model):
    """What every OpenAI class is given. Clients of their own, because the default ones are shared between event loops."""
    with httpx.Client() as http_client:
        async with httpx.AsyncClient() as http_async_client:
            yield {
                "base_url": f"{server.url}/v1",
                "api_key": "unused",
                "model": model,
                "max_retries": 0,
                "http_client": http_client,
                "http_async_client": http_async_client,
            }


@pytest.fixture(params=["openai", "ollama"])
async def chat(request, server, model, openai_settings):
    if request.param == "openai":
        yield ChatOpenAI(temperature=0, max_completion_tokens=200, **openai_settings)
    else:
        async with closing(ChatOllama(base_url=server.url, model=model, temperature=0, num_predict=200)) as ollama:
            yield ollama


@pytest.fixture(params=["openai", "ollama"])
async def llm(request, server, model, openai_settings):
    if request.param == "openai":
        yield OpenAI(temperature=0, max_tokens=12, **openai_settings)
    else:
        async with closing(OllamaLLM(base_url=server.url, model=model, temperature=0, num_predict=12)) as ollama:
            yield ollama


@pytest.fixture(params=["openai", "ollama"])
async def embeddings(request, server, model, openai_settings):
    if request.param == "openai":
        # its length check tokenizes with a vocabulary that it would have to download
        yield OpenAIEmbeddings(check_embedding_ctx_length=False, **openai_settings)
    else:
        async with closing(OllamaEmbeddings(base_url=server.url, model=model)) as ollama:
            yield ollama


class TestChat:
    def test_invoke_answers_with_usage(self, chat):
        message = chat.invoke("What is 2 + 3?")
        assert "5" in message.content
        assert message.usage_metadata["output_tokens"] > 0

    async def test_ainvoke_equals_invoke(self, chat):
        assert (await chat.ainvoke("What is 2 + 3?")).content == chat.invoke("What is 2 + 3?").content

    def test_stream_accumulates_to_the_whole_answer(self, chat):
        assert (
            "".join(chunk.content for chunk in chat.stream("What is 2 + 3?")) == chat.invoke("What is 2 + 3?").content
        )

    async def test_astream_accumulates_to_the_whole_answer(self, chat):
        chunks = [chunk.content async for chunk in chat.astream("What is 2 + 3?")]
        assert "".join(chunks) == chat.invoke("What is 2 + 3?").content

    def test_batch_keeps_the_order(self, chat):
        questions = ["What is 2 + 3?", "Hello!", "What is 1 + 1?"]
        assert [m.content for m in chat.batch(questions)] == [chat.invoke(question).content for question in questions]

    def test_a_bound_tool_is_called(self, chat):
        (call,) = chat.bind_tools([WEATHER_TOOL]).invoke("What is the weather in Paris?").tool_calls
        assert call["name"] == "get_weather"
        assert "city" in call["args"]

    def test_a_forced_call_is_the_model_asked_for(self, openai_settings):
        chat = ChatOpenAI(temperature=0, max_completion_tokens=150, **openai_settings)
        person = chat.with_structured_output(Person, method="function_calling").invoke("Ada is 36 years old.")
        assert isinstance(person, Person)

    def test_structured_output_is_the_model_asked_for(self, chat):
        person = chat.with_structured_output(Person, method="json_schema").invoke("Ada is 36 years old.")
        assert isinstance(person, Person)


class TestCompletion:
    def test_invoke_continues_the_prompt(self, llm):
        assert isinstance(llm.invoke("The capital of France is"), str)

    def test_stream_accumulates_to_the_whole_text(self, llm):
        assert "".join(llm.stream("The capital of France is")) == llm.invoke("The capital of France is")

    async def test_astream_accumulates_to_the_whole_text(self, llm):
        pieces = [piece async for piece in llm.astream("The capital of France is")]
        assert "".join(pieces) == await llm.ainvoke("The capital of France is")


class TestEmbeddings:
    def test_a_query_and_a_document_of_the_same_text_agree(self, embeddings):
        (document,) = embeddings.embed_documents(["hello"])
        assert embeddings.embed_query("hello") == pytest.approx(document, abs=1e-4)

    async def test_documents_keep_their_order(self, embeddings):
        first, second, third = await embeddings.aembed_documents(["hello", "good bye", "hello"])
        assert first == pytest.approx(third, abs=1e-4)
        assert first != pytest.approx(second, abs=1e-2)
