"""Everything that makes the bundled demo model: its world, corpus, tokenizer, network, export and evaluation.

Nothing here is shipped or imported by the server; only `network`, `training` and `export` need PyTorch.
"""
