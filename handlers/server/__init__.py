"""What only this server has: health, its documents, and a model's tokenizer and template; one thin function per operationId."""
