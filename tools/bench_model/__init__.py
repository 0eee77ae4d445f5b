"""Random models in real models' shapes, for `tools/make_bench_model.py`."""
