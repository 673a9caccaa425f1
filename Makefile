# Meterway: every target makes its own set-up in .venv; a fresh machine needs Python 3.11 or newer, git and make.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
FUZZ_SECONDS ?= 60
FUZZ_LONGER ?=
DEMO ?=
BENCH ?=
TESTS ?=
PYTHON ?=
# Locked peers that come as source are built with the setuptools that the first step installed.
INSTALL := $(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation
COMPILE = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-annotate --upgrade

.PHONY: demo test lint bench coverage lock fuzz clean help

help:
	@echo "make demo      start a town, read it, show it        (DEMO='--meters 1000 --once')"
	@echo "make test      run the tests                         (TESTS=tests/stacks/dlms)"
	@echo "make lint      style, types, import law, house rules"
	@echo "make bench     measure, peers beside us              (BENCH=--json)"
	@echo "make coverage  write docs/coverage.md and docs/reference anew, drop mirror exceptions that are met"
	@echo "make fuzz      fuzz every parser                     (FUZZ_SECONDS=60 each, FUZZ_LONGER=mbus=300)"
	@echo "make lock      resolve requirements*.lock anew"
	@echo "make clean     remove .venv and caches                (PYTHON=… chooses another Python)"

demo: $(READY)
	@$(VENV)/bin/meterway demo $(DEMO)

test: $(READY)-dev
	@$(PY) -m pytest -n auto $(TESTS)

lint: $(READY)-dev
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(PY) tests/house_rules.py

bench: $(READY)-dev
	@$(VENV)/bin/meterway bench $(BENCH)

coverage: $(READY)
	@$(PY) tests/coverage_report.py
	@$(PY) tests/reference_pages.py
	@$(PY) tests/mirror.py

fuzz: $(READY)-dev $(READY)-fuzz
	@$(PY) tests/fuzz/run.py --seconds $(FUZZ_SECONDS) $(addprefix --longer ,$(FUZZ_LONGER))

lock: $(READY)
	@$(PY) -m pip install -qq --disable-pip-version-check uv
	@$(COMPILE) pyproject.toml --extra mqtt --group build -o requirements.lock
	@$(COMPILE) pyproject.toml --group build --group test --group peers --group lint -c requirements.lock -o requirements-dev.lock
	@$(COMPILE) pyproject.toml --group fuzz -c requirements.lock -o requirements-fuzz.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The newest Python that can make a virtual environment; pyenv's shims are tried by running them.
$(PY):
	@for candidate in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3; do \
	  if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Setting up $(VENV) with $$("$$candidate" --version)"; \
	    rm -rf $(VENV); "$$candidate" -m venv $(VENV) && exit 0; \
	  fi; \
	done; \
	echo "Meterway needs Python 3.11 or newer with its venv module (Debian: apt-get install python3 python3-venv)." >&2; \
	exit 1

$(READY): requirements.lock pyproject.toml | $(PY)
	@echo "Installing Meterway"
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --editable .
	@touch $@

$(READY)-dev: requirements-dev.lock | $(READY)
	@echo "Installing what tests, checks and benchmarks need"
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

$(READY)-fuzz: requirements-fuzz.lock | $(READY)
	@$(INSTALL) --require-hashes -r requirements-fuzz.lock
	@touch $@
