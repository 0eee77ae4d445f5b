"""OpenAI's operations: one module per resource, one thin function per operationId."""
