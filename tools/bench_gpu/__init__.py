"""The comparison with llama-server on a GPU, in slices that a machine lent for minutes can run."""
