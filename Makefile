# Every target makes what it needs by itself and is safe to repeat.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install quickstart test check format bench lab lock clean

help: ## Say what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(STAMP) ## Install everything for development into .venv

# torch goes first and pinned, so that nothing else can choose another build of it.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $$(grep -E '^torch==' requirements.lock)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	mkdir -p $(VENV)/typing && ln -sfn ../../plugins $(VENV)/typing/workbench_plugins # mypy knows no package-dir mapping
	touch $@

quickstart: $(STAMP) ## From the documentation on this machine to a tuned, evaluated model (about 2 minutes)
	$(BIN)/workbench run notebooks/pipelines/quickstart.yaml

test: $(STAMP) ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

check: $(STAMP) ## Lint, format, types, import directions, notebooks in sync
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m notebooks.sync --check

format: $(STAMP) ## Format and repair what can be repaired
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m notebooks.sync

bench: $(STAMP) ## Run every benchmark and print its table
	$(BIN)/python -m benchmarks

lab: $(STAMP) ## Open JupyterLab on the notebooks
	$(BIN)/workbench lab

lock: $(STAMP) ## Write requirements.lock from what is installed now
	$(BIN)/python -m pip freeze --exclude-editable --all | sed -E 's/\+cpu$$//' | grep -v -E '^(pip)==' > requirements.lock

clean: ## Remove the environment and all results
	rm -rf $(VENV) .workbench build *.egg-info
