# make demo trains and shows a first model; make test runs every check. Both set up what they need, once.

.DEFAULT_GOAL := help
.PHONY: help setup demo test types tests test-fast evidence bench docs clean

BIN := .venv/bin
DEMO := runs/demo

help:
	@echo 'make setup     .venv with agon, editable, and the tools of its tests'
	@echo 'make demo      train a DCGAN on bundled digits; the last line is the page to open'
	@echo 'make test      lint, types, tests, and the code blocks of README.md and docs/'
	@echo 'make test-fast the tests that train nothing, in under a minute'
	@echo 'make evidence  the tests that take minutes each, and all shapes of every call'
	@echo 'make bench     measure speed and memory into docs/benchmarks.md; SECTIONS="step seeds" measures those'
	@echo 'make docs      the documentation as a site, in site/'
	@echo 'make clean     remove what make made, but no run'

setup: .venv/.ready

.venv/.ready: pyproject.toml
	@echo 'Installing agon into .venv; PyTorch is large, so the first time takes minutes. The installer says what it does:'
	@$(call install,dev)
	@touch '$@'

.venv/.docs: .venv/.ready
	@$(call install,docs)
	@touch '$@'

.venv/.bench: .venv/.ready
	@$(call install,bench)
	@touch '$@'

demo: setup
	@if [ -f '$(DEMO)/experiment.json' ]; then \
	  $(BIN)/agon resume '$(DEMO)'; \
	else \
	  $(BIN)/agon train first/digits --threads 1 --out '$(DEMO)'; \
	fi
	@$(BIN)/agon evaluate '$(DEMO)'
	@$(BIN)/agon report '$(DEMO)'

test: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j2 types tests

types:
	$(BIN)/mypy

tests:
	$(BIN)/pytest -n 2 --dist worksteal

test-fast: setup
	$(BIN)/pytest -n 2 --dist worksteal -m 'fast and not evidence'

evidence: setup
	$(BIN)/pytest -m evidence
	SHAPES=all $(BIN)/pytest -n 2 --dist worksteal

bench: .venv/.bench
	$(BIN)/python -m benchmarks $(SECTIONS)

docs: .venv/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo site/index.html

clean:
	rm -rf .venv site build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find agon tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call install,GROUP): agon and one dependency group, by uv where it is, else by pip and the newest Python.
define install
set -eu; \
if command -v uv >/dev/null 2>&1; then \
  [ -x $(BIN)/python ] || uv venv --quiet --python '>=3.11' .venv; \
  uv pip install --python $(BIN)/python --editable '.[all]' --group $(1); \
else \
  [ -x $(BIN)/python ] || { $(newest) -m venv .venv; }; \
  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'; \
  $(BIN)/python -m pip install --disable-pip-version-check --editable '.[all]' --group $(1); \
fi
endef

define newest
$$(for each in python3.14 python3.13 python3.12 python3.11 python3 python; do \
  if "$$each" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
    echo "$$each"; exit; \
  fi; \
done; \
echo 'make: expected uv, or Python 3.11 or later with its venv module, on PATH; found neither' >&2; echo false)
endef
