"""What is between this server's own operations and the engine."""
