# Two commands do all the set-up: `make run` and `make test`. They need make and Python 3.11 or newer with venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.installed-dev
PYTEST := $(BIN)/pytest -n 2 --dist worksteal
RESULTS := build/test-results.xml

.PHONY: help run test quick lint chromium bench soak docs clean
.DEFAULT_GOAL := help

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED) ## Serve the workbench with a populated demo, and print its address
	@$(BIN)/gndp serve --demo

test: $(READY) chromium lint ## Lint, check types and layers, and run every test but the soak
	@mkdir -p $(dir $(RESULTS))
	$(PYTEST) -rs --junit-xml=$(RESULTS)

quick: $(READY) lint ## For each commit: lint, types, layers, the pure tests and a database smoke test
	$(PYTEST) tests/pure tests/database/test_models.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## Measure what docs/benchmarks.md reports
	$(BIN)/python -m benchmarks.five_tasks
	$(BIN)/python -m benchmarks.chain
	$(BIN)/python -m benchmarks.many_tasks
	$(BIN)/python -m benchmarks.million
	$(BIN)/python -m benchmarks.searches
	$(BIN)/python -m benchmarks.sweep
	$(BIN)/python -m benchmarks.calendars
	$(BIN)/python -m benchmarks.queue
	$(BIN)/python -m benchmarks.events
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.api_at_size
	$(BIN)/python -m benchmarks.pages

soak: $(READY) ## Run the long campaigns
	$(BIN)/pytest -m soak

docs: $(READY) ## Draw the pages that come from the code
	$(BIN)/gndp states --write docs/states.md
	$(BIN)/gndp rights --write docs/reference/rights.md
	$(BIN)/gndp events catalogue --write docs/reference/events.md
	$(BIN)/gndp schema definition --write docs/reference/definition.schema.json
	$(BIN)/gndp schema policy --write docs/reference/policy.schema.json
	$(BIN)/gndp schema calendar --write docs/reference/calendar.schema.json
	$(BIN)/typer gndp.cli utils docs --name gndp --output docs/reference/cli.md

clean: ## Remove the virtual environment and what the tools left
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The browser tests need a Chromium. Where it cannot be installed here they are skipped, and say so.
chromium:
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
			|| echo "Chromium cannot be installed here, so there will be no browser tests"; \
	fi

# Stamps: a second run installs nothing, a changed pyproject.toml installs again.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "GNDP needs Python 3.11 or newer: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no virtual environment: apt-get install python3-venv"; exit 1; }

$(INSTALLED): pyproject.toml | $(VENV)/bin/python
	@echo "installing GNDP in $(VENV) (takes a few minutes the first time) …"
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY): pyproject.toml | $(INSTALLED)
	@echo "installing the tools for development in $(VENV) …"
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@
