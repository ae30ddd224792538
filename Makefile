# Two commands do everything on a fresh machine with Python 3.11 or newer: `make run` and `make test`.

PYTHON ?= python3
PORT ?= 5005
DESK_PORT ?= 8081
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
TOPOLOGY ?= single
WIDGET := $(wildcard widget/*.js widget/*.mjs widget/*.html widget/*.css widget/*.svg widget/src/*)

export RASA_TELEMETRY_ENABLED := false

.PHONY: run test chaos chaos-mutants bench check e2e simulator actions widget install lock format clean help

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.runtime widget/dist/index.html ## The whole system on this machine, on loopback
	@$(BIN)/python -m local --port $(PORT) --desk-port $(DESK_PORT)

# A module's tests stay together, in the order of the rooms; what is handed over as ARGS runs one by one.
test: ARGS ?= --numprocesses logical --maxprocesses 4 --max-worker-restart 0 --dist loadscope --no-loadscope-reorder
test: $(VENV)/.dev widget/dist/index.html ## All tests, some at a time; what is absent here is skipped and named
	@$(BIN)/python -m pytest $(ARGS)

chaos: $(VENV)/.dev ## Kill and cut for a while, and count what was lost; TOPOLOGY=cluster, ARGS="--seconds 60 --seed 1"
	@$(BIN)/python -m chaos --topology $(TOPOLOGY) $(ARGS)

chaos-mutants: $(VENV)/.dev ## Make one mistake after another, each of one line, and see each caught
	@$(BIN)/python -m chaos --mutant all --seconds 25 $(ARGS)

bench: $(VENV)/.dev widget/dist/index.html ## Ours against a bare relay and the original design; ARGS="--quick"
	@$(BIN)/python -m benchmarks $(ARGS)

check: $(VENV)/.dev widget/node_modules/.installed ## Ruff and mypy, the widget's types, deploy/, and known vulnerabilities of what we depend on
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m local.npm run check
	@$(BIN)/python -m local.deployment
	@$(BIN)/python -m local.audit $(AUDIT)

e2e: $(VENV)/.runtime ## e2e_tests/ by `rasa test e2e`; needs RASA_LICENSE
	@$(BIN)/python -m local.e2e

simulator: $(VENV)/.runtime ## The ServiceNow simulator alone
	@$(BIN)/python -m simulator --port $(DESK_PORT)

actions: $(VENV)/.runtime ## The custom actions in a server of their own, on port 5055
	@$(BIN)/python -m rasa_sdk --actions actions

widget: widget/dist/index.html ## Build the chat page

install: $(VENV)/.dev widget/dist/index.html ## Set up everything without running it

format: $(VENV)/.dev ## Let ruff put the code in order
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(VENV)/.dev ## Write the lock files anew from pyproject.toml
	@$(BIN)/python -m local.lock

clean: ## Remove what can be made again; the ledger in var/ stays
	rm -rf $(VENV) widget/node_modules widget/dist models

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed, and $(PYTHON) is %d.%d. Try: make PYTHON=python3.11 $(MAKECMDGOALS)" % sys.version_info[:2])'
	@echo "Making a Python environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock | $(BIN)/python
	@echo "Installing Python packages, about 1 GB (some minutes, once) ..."
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the tools for tests ..."
	@$(PIP) -r requirements-dev.lock
	@touch $@

widget/node_modules/.installed: widget/package.json widget/package-lock.json $(VENV)/.runtime
	@echo "Installing the chat page's packages ..."
	@$(BIN)/python -m local.npm ci
	@touch $@

widget/dist/index.html: widget/node_modules/.installed $(WIDGET)
	@$(BIN)/python -m local.npm run build
	@touch $@
