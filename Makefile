# One command each: demo, test, test-slow, check, clean. Needs Python 3.11 or 3.12, make and git.
VENV := .venv
BIN := $(VENV)/bin
PINS := pyproject.toml constraints.txt
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq -c constraints.txt
WORKERS := 2

# A virtual environment that no longer runs, or whose checkout was moved, is made again.
BUILT_FOR := $(shell $(BIN)/python -c '' 2>/dev/null && cat $(VENV)/.built 2>/dev/null)
ifneq ($(BUILT_FOR),$(CURDIR))
.PHONY: $(VENV)/.built
endif

unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX
.PHONY: help demo test test-slow check clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@echo "make demo       install, then compare two policies on the embedded city"
	@echo "make test       install, then run the tests (kernels also without the JIT)"
	@echo "make test-slow  the long tests"
	@echo "make check      ruff, mypy, import-linter"
	@echo "make clean      remove the environment and the caches"

demo: $(VENV)/.runtime
	@$(BIN)/twin demo

test: $(VENV)/.test
	@echo "test: all but the slow ones, $(WORKERS) processes"
	@$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile
	@echo "test: kernels with the JIT off"
	@NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/kernels -m "not slow and not jit" -n $(WORKERS)

test-slow: $(VENV)/.test
	@$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev
	@echo "check: ruff"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@echo "check: mypy"
	@$(BIN)/mypy twin
	@echo "check: imports"
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }

clean:
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last, so an interrupted install leaves none.
$(VENV)/.built:
	@found=; bare=; \
	for candidate in $(PYTHON) python3.12 python3.11 python3 python; do \
	  "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	    >/dev/null 2>&1 || continue; \
	  for maker in venv virtualenv; do \
	    needs=$$maker; test $$maker = virtualenv || needs=ensurepip; \
	    if "$$candidate" -c "import $$needs" >/dev/null 2>&1; then found=$$candidate; break 2; fi; \
	  done; \
	  bare=$${bare:-$$candidate}; \
	done; \
	if test -z "$$found" && test -n "$$bare"; then \
	  minor=$$("$$bare" -c 'import sys; print("3.%d" % sys.version_info[1])'); \
	  echo "setup: $$bare has no ensurepip: install the package python$$minor-venv (Debian, Ubuntu) or virtualenv" >&2; \
	  exit 1; \
	elif test -z "$$found"; then \
	  echo "setup: no Python 3.11 or 3.12 found: install one, or name it: make PYTHON=/path/to/python3.12" >&2; \
	  exit 1; \
	fi; \
	echo "setup: $(VENV) with $$("$$found" -c 'import sys; print(sys.executable, "%d.%d.%d" % sys.version_info[:3])')"; \
	rm -rf $(VENV); \
	"$$found" -m $$maker $(VENV) && $(PIP) setuptools && echo "$(CURDIR)" > $@

$(VENV)/.runtime: $(VENV)/.built $(PINS)
	@echo "setup: installing what the twin needs to run (a few minutes the first time)"
	@$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.built $(PINS)
	@echo "setup: installing the twin and its tests (a few minutes the first time)"
	@$(PIP) --no-build-isolation -e '.[test]'
	@touch $(VENV)/.runtime $@

$(VENV)/.dev: $(VENV)/.built $(PINS)
	@echo "setup: installing the twin and its checks (a few minutes the first time)"
	@$(PIP) --no-build-isolation -e '.[dev]'
	@touch $(VENV)/.runtime $@
