"""Text generation and embedding with GGUF models. This façade is all that the HTTP side may import."""
