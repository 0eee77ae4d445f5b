"""Growing text and what is found in it: what every reader of an answer stands on. Pure text."""
