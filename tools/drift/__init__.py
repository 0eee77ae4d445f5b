"""Comparing a document of ours with a published one: schemas by what they accept, operations by what they exchange."""
