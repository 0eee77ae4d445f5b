"""What is derived from the documents in openapi/: each module turns them into the text of one kind of file."""
