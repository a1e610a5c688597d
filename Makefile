# make run    set up and serve the dashboard on http://127.0.0.1:8501
# make test   set up and run the tests
# make check  formatting, lint, types and import rules
# make e2e    browser journeys (needs chromium; see .ci/run)
# make messages  extract, merge and compile the languages' sentences
# make fuzz   20,000 broken files through every reader (half an hour)
# make bench  write the engine's benchmark to out/bench.json
# make validity  simulate experiments with a known truth; writes docs/validity.md and out/validity.json

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test check format messages e2e fuzz bench validity clean

run: .venv/.run
	$(BIN)/python -m streamlit run app.py

test: .venv/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not e2e"

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_layout.py

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

messages: .venv/.dev
	$(BIN)/python -m tests.catalogue

e2e: .venv/.dev
	$(BIN)/python -m pytest -m e2e tests/e2e

fuzz: .venv/.dev
	RERANK_FUZZ=5000 $(BIN)/python -m pytest --timeout=0 tests/intake/test_fuzz.py

bench: .venv/.dev
	mkdir -p out && $(BIN)/rerank bench --json out/bench.json

validity: .venv/.run
	mkdir -p out && $(BIN)/rerank validity --json out/validity.json

clean:
	rm -rf .venv build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install -c constraints.txt -e .
	touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) install -c constraints.txt -e .[dev]
	touch $@ .venv/.run
