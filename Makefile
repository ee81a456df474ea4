# make demo    search the bundled collection        make test    all that CI runs
# make setup   only .venv and what it holds         make bench   every benchmark
# make docs    the site, into build/site              make audit   licences, known vulnerabilities
# make wheel   dist/: the wheel and its bill of materials
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup weights demo lint test browser docs bench licences sbom audit wheel

# The first Python from 3.11 on that can make a virtual environment.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	"$$python" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)
BIN := .venv/bin
INSTALLED := .venv/.installed
# Two workers suit two cores; the lite models are loaded once in each.
WORKERS ?= 2
DATA ?= ../shared/data

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

setup: $(INSTALLED)

# Done again when a pin or a dependency changes. pip, because it knows this machine's index, mirrors and
# CPU wheels. The pins are exact, so nothing is looked for but what constraints.txt names.
$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer with venv (PATH): install one, or make PYTHON=..." >&2; exit 3; }
	@echo "setup: $$($(PYTHON) --version) into .venv; the packages take a minute or two ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps \
		--upgrade --target .venv/torchvision torchvision
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--upgrade --target .venv/s3-server -r tests/s3-server.txt
	@touch $@
	@echo "setup: done"

weights: setup
	@$(BIN)/ponder models pull lite >/dev/null

demo: weights
	@$(BIN)/ponder demo

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# pytest comes last: its closing line is the verdict. Two workers with two threads each on two cores wait for
# each other: a training took 5 minutes that takes 16 s with one.
test: lint weights browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)

# For the tests of the page: Debian's Chromium where it is missing and can be had, and axe-core. They skip without.
browser: setup
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1; } \
		|| echo "browser: no Chromium here, the tests of the page are skipped" >&2
	@test -e .venv/npm/node_modules/axe-core/axe.min.js || npm install --silent --no-fund --no-audit \
		--prefix .venv/npm axe-core@4.14.1 || echo "browser: no axe-core, its tests are skipped" >&2

docs: setup
	@$(BIN)/python tools/cli_reference.py
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "docs: build/site/index.html"

# Each prints its line and appends it to benchmarks/results/. The quality table, an hour or more, comes last
# and needs the data sets: make bench DATA=FOLDER. One that fails does not keep the others from running.
bench: weights
	@failed=""; \
	for file in $$(grep -l '__name__ == "__main__"' benchmarks/*.py); do \
		test $$file = benchmarks/quality.py && continue; \
		echo "bench: $$file" >&2; $(BIN)/python $$file --json || failed="$$failed $$file"; \
	done; \
	if test -d "$(DATA)"; then \
		$(BIN)/python benchmarks/quality.py --data "$(DATA)" || failed="$$failed benchmarks/quality.py"; \
	else echo "bench: no quality table, there is no folder $(DATA) (DATA=...)" >&2; fi; \
	test -z "$$failed" || { echo "bench: failed:$$failed" >&2; exit 1; }

# The page is written anew; what is unknown or denied is listed and ends it.
licences: setup
	@PYTHONPATH=src $(BIN)/python tools/licences.py --write

audit: licences
	@$(BIN)/python tools/audit.py

sbom: setup
	@PYTHONPATH=src $(BIN)/python tools/sbom.py dist/sbom.json && echo "sbom: dist/sbom.json"

# The commit's time stands in the wheel, so that everyone who builds the commit builds the same bytes.
wheel: sbom
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -t wheel -d dist
	@cd dist && sha256sum *.whl
