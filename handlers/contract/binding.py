"""Which function answers which operation. Owns the table; that it agrees with the documents is checked at start-up."""

from collections.abc import Iterable, Mapping
from typing import Any

from handlers.contract.checked import Function
from handlers.contract.operations import OperationKey
from handlers.ollama import chat, embed, generate, version
from handlers.ollama import models as ollama_models
from handlers.openai import chat_completions, completions, embeddings, responses
from handlers.openai import models as openai_models
from handlers.server import activity, docs, documents, health, rerank, text

FUNCTIONS: Mapping[OperationKey, Function] = {
    "openai.createChatCompletion": chat_completions.create_chat_completion,
    "openai.createResponse": responses.create_response,
    "openai.createCompletion": completions.create_completion,
    "openai.createEmbedding": embeddings.create_embedding,
    "openai.listModels": openai_models.list_models,
    "openai.retrieveModel": openai_models.retrieve_model,
    "ollama.generate": generate.generate,
    "ollama.chat": chat.chat,
    "ollama.embed": embed.embed,
    "ollama.embeddings": embed.embeddings,
    "ollama.list": ollama_models.list_models,
    "ollama.ps": ollama_models.list_loaded,
    "ollama.show": ollama_models.show,
    "ollama.version": version.version,
    "ollama.root": version.root,
    "ollama.headRoot": version.root,
    "server.health": health.health,
    "server.ready": health.ready,
    "server.metrics": activity.metrics,
    "server.slots": activity.slots,
    "server.tokenize": text.tokenize,
    "server.detokenize": text.detokenize,
    "server.applyTemplate": text.apply_template,
    "server.rerank": rerank.rerank,
    "server.openapiOpenai": documents.openapi_openai,
    "server.openapiOllama": documents.openapi_ollama,
    "server.openapiServer": documents.openapi_server,
    "server.docs": docs.docs,
}


class BindingError(Exception):
    """The documents and the table of functions disagree: a fault of this program, found at its start."""


def check_agreement(documented: Iterable[str], bound: Mapping[Any, Function]) -> None:
    """Raises BindingError unless exactly the documented operations are bound."""
    keys = set(documented)
    unbound = sorted(keys - set(bound))
    undocumented = sorted(set(bound) - keys)
    if unbound:
        raise BindingError(f"documented, but bound to no function: {', '.join(unbound)}")
    if undocumented:
        raise BindingError(f"bound to a function, but not documented: {', '.join(undocumented)}")
