# make app: install what is needed and start the app on the simulated sample
# make test: install what tests need and run everything: lint, types, unit, real data, slow statistics, browser
# make bench: benchmarks; prints ratios of one run, and walks the products whole of which `make test` has a sample

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Each worker takes a row of files and helps the other at the end: what a file's tests share is made once.
PYTEST := $(BIN)/python -m pytest -q -n $(WORKERS) --dist worksteal
# Tests start many Pythons, which would each compile the program and its tests anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: app test lint types together unit real slow browser bench screenshots axe clean

app: $(VENV)/installed-app
	$(BIN)/python -m ui.first_run
	$(BIN)/python -m streamlit run app.py

$(VENV)/bin/python:
	sh scripts/make_venv.sh "$(PYTHON)" $(VENV)

$(VENV)/installed-app: requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: requirements.txt requirements-dev.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/installed-app

$(VENV)/installed-browser: | $(VENV)/installed-dev
	sh scripts/install_browser.sh $(BIN)/python
	touch $@

$(VENV)/installed-latex: | $(VENV)/installed-dev
	sh scripts/install_latex.sh
	touch $@

test: lint types together browser

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .

types: $(VENV)/installed-dev
	$(BIN)/mypy .

# unit, real and slow: what is imported and collected once serves all three.
together: $(VENV)/installed-dev $(VENV)/installed-latex
	$(PYTEST) -m "not browser"

unit: $(VENV)/installed-dev $(VENV)/installed-latex
	$(PYTEST) -m "not real and not slow and not browser"

real: $(VENV)/installed-dev
	$(PYTEST) -m "real and not slow and not browser"

slow: $(VENV)/installed-dev $(VENV)/installed-latex
	$(PYTEST) -m "slow and not browser"

# Of the files those that have such tests: to collect all others would take as long as some of them.
browser: $(VENV)/installed-dev $(VENV)/installed-browser
	$(PYTEST) -m browser $$(grep -l 'mark\.browser' tests/test_*.py)

bench: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/installed-dev $(VENV)/installed-browser
	$(BIN)/python -m scripts.screenshots

# What shuts people out, on all pages with all sections open; about five minutes.
axe: $(VENV)/installed-dev $(VENV)/installed-browser
	$(BIN)/python -m scripts.axe

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache artifacts
