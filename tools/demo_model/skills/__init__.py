"""The skills of the demo model: each module builds exchanges or whole chats of one kind."""
