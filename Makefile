# `make demo` and `make test`; `make check` for daily work. Each sets up .venv first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check lint setup clean

demo: setup
	$(BIN)/tulu-data build recipes/sft_mix.yaml

test: setup lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

# What takes long (kills, browsers, notebooks, the real data) is left to `make test`.
check: setup lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not slow"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

setup: .venv/installed

# pip takes no editable project in a hashed file, so the project goes in by a second call.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf .venv .tulu-data mixtures
