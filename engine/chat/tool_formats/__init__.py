"""How models write tool calls, one module for each form. `engine/chat/answers/formats.py` chooses among them."""
