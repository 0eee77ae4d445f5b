"""Translation between the dialects' JSON and the engine's values: plain functions, no I/O, no HTTP.

`openai` and `ollama` hold one module per resource with `parse` (body -> request), `render` (result -> body) and `chunks`
(events -> stream of bodies); what both dialects share lies beside them. Must not know connexion, starlette or a socket.
"""
