"""The only importer of llama_cpp: one C resource, one owner, one file. Knows nothing of requests, slots or schedules."""
