"""How models write tool calls, one module for each form. `engine/chat/formats.py` chooses among them."""
