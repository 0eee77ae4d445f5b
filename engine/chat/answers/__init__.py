"""Answers of models as a whole: thinking, content and calls told apart as they are written, and the grammars that hold them to that.

Pure text.
"""
