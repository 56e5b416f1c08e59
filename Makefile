PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup demo test lint bench clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

.venv/%: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	touch $@

setup: .venv/demo,dev  ## .venv with everything

demo: .venv/demo  ## diagnose the built-in sample with the built-in model
	$(BIN)/nmt-ib diagnose builtin:sample-en --model builtin:en-pt --out runs/demo

test: .venv/demo,dev lint  ## lint, types and the whole test suite
	$(BIN)/python -m pytest -n auto --dist worksteal

lint: .venv/demo,dev  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/demo,dev  ## speed and memory against the peers' procedure; writes bench.json
	$(BIN)/python recipes/benchmark_diagnose.py $(or $(TEXT),builtin:sample-en) --out bench.json

clean:  ## remove .venv and runs
	rm -rf .venv runs
