# `make` prints what there is. GNU make and a Python from 3.11 to 3.13 are all it needs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A name on the command line or in the environment (`make up PYTHON=python3.12`) is tried alone.
PYTHON ?=
USABLE := import sys, venv, ensurepip; print('usable' if (3, 11) <= sys.version_info[:2] <= (3, 13) else '')
CANDIDATES := python3.13 python3.12 python3.11 python3
UV := uv==0.13.9
# A production environment in which nothing is contacted: `check --deploy` judges settings only. The keyring must be a
# folder that others cannot enter, as mktemp makes it.
DEPLOYED := keyring=$$(mktemp -d); touch "$$keyring/ca.pem"; trap 'rm -rf "$$keyring"' EXIT; MUNIMENT_ENV=production MUNIMENT_KEYRING="$$keyring" \
  MUNIMENT_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
  MUNIMENT_PUBLIC_URL=https://muniment.example MUNIMENT_TRUSTED_PROXIES=192.0.2.10 \
  DATABASE_URL="postgresql://muniment_web@db.muniment.example/muniment?sslmode=verify-full&sslrootcert=$$keyring/ca.pem" \
  VALKEY_URL=rediss://valkey.muniment.example:6380/0
# Every file that is, or is about to be, under version control.
TRACKED := git ls-files -z --cached --others --exclude-standard

.PHONY: help .venv up test check bench lock clean

help: ## This list
	@echo 'Muniment. Targets:'
	@sed -n 's/^\([a-z.]*\):.*## \(.*\)/  make \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'
	@echo 'Set PYTHON=/path/to/python to choose the interpreter (3.11, 3.12 or 3.13).'

.venv: $(STAMP) ## Virtual environment, rebuilt when requirements.lock changes

# An interpreter counts only when it starts: a version manager's shim may exist and fail.
$(STAMP): requirements.lock
	@chosen=''; tried=''; \
	for candidate in $(or $(PYTHON),$(CANDIDATES)); do \
	  answer=$$("$$candidate" -c "$(USABLE)" 2>/dev/null) || true; \
	  if [ "$$answer" = usable ]; then chosen="$$candidate"; break; fi; \
	  tried="$$tried $$candidate"; \
	done; \
	if [ -z "$$chosen" ]; then \
	  echo "make: no usable Python found. Tried:$$tried." >&2; \
	  echo "make: Muniment needs Python 3.11, 3.12 or 3.13 with its venv module" >&2; \
	  echo "make: (on Debian: apt-get install python3-venv), or PYTHON=/path/to/python." >&2; \
	  exit 1; \
	fi; \
	echo "make: building $(VENV) with $$("$$chosen" --version) (about two minutes without a cache)"; \
	"$$chosen" -m venv --clear $(VENV) && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	touch $(STAMP)

up: $(STAMP) ## Start everything here: servers, portal, demo data (Ctrl-C stops it)
	@exec $(BIN)/python -m config.supervisor

# Two processes, each with servers of its own. Files go out in their order: those that damage ledgers come late.
test: $(STAMP) ## Every test, against real PostgreSQL and Valkey
	$(BIN)/python -m pytest tests --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## Style, types, imports, security, migrations, deployment, then the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml manage.py config compliance ai_audit sessions_log
	$(TRACKED) | xargs -0 $(BIN)/detect-secrets-hook --exclude-files '^requirements\.lock$$'
	$(DEPLOYED) $(BIN)/python manage.py makemigrations --check --dry-run
	$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(MAKE) --no-print-directory test

bench: $(STAMP) ## Measure against the classic baseline; prints the tables of docs/benchmarks.md
	$(BIN)/python -m tests.perf

lock: $(STAMP) ## Write requirements.lock anew from requirements.in (UPGRADE=--upgrade for newer ones)
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	$(BIN)/python -m venv "$$scratch"; \
	"$$scratch/bin/pip" install --quiet --disable-pip-version-check $(UV); \
	"$$scratch/bin/uv" pip compile --universal --generate-hashes --python-version 3.11 $(UPGRADE) \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	  --quiet --output-file requirements.lock requirements.in

clean: ## Remove the virtual environment and caches; data stays
	rm -rf $(VENV) .static .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
