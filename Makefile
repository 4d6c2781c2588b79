# `make` alone lists the targets. Every target makes what it needs by itself.

PYTHON  ?= python3
PROFILE ?= quick
ARGS    ?=

VENV    := .venv
BIN     := $(VENV)/bin
LOWEST  := .venv-lowest
ASV     := $(BIN)/asv
MACHINE ?= here
TORCH   ?= 2.13.0
SEED    ?= 0
# Small disks are mounted where only the tests see them; on most Linux that takes no privilege.
OWN_MOUNTS := unshare --user --map-root-user --mount --
MOUNTING = $(shell $(OWN_MOUNTS) true 2>/dev/null && echo $(OWN_MOUNTS))
APART   := --strict-markers --strict-config -ra --import-mode=importlib
IN_TWO  := --numprocesses auto --maxprocesses 2
PIP     := $(BIN)/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test test-lowest test-browser test-faults test-peers lint plots docs grids bench bench-quick bench-smoke bench-pytest dashboard clean

help:   ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/for-run   ## measure the article's claims here; PROFILE=standard takes longer, ARGS= adds options
	$(BIN)/jacchain run --profile $(PROFILE) $(ARGS)

test: $(VENV)/for-work   ## run the tests and all examples in the documentation
	$(BIN)/python -m pytest $(IN_TWO) $(ARGS)

test-lowest: $(LOWEST)/for-test   ## the same with the lowest versions of all that jacchain depends on
	$(LOWEST)/bin/python -m pytest $(IN_TWO) $(ARGS)

test-browser: $(VENV)/for-browser   ## look at the dashboard in Chromium, with no network but loopback
	@command -v chromium >/dev/null && command -v npm >/dev/null || { \
	  echo "make test-browser needs chromium and npm (on Debian: apt install chromium npm)" >&2; exit 1; }
	$(BIN)/python -m pytest tests/browser --override-ini addopts="$(APART)" $(IN_TWO) --dist loadfile $(ARGS)

test-peers: $(VENV)/for-peers   ## compare layers and gradients with those of PyTorch and JAX
	$(BIN)/python -m pytest tests/peers --override-ini addopts="$(APART)" $(IN_TWO) $(ARGS)

test-faults: $(VENV)/for-work   ## kill, fill disks, edit files at random and call with bad values; SEED=
	FAULTS_SEED=$(SEED) $(MOUNTING) $(BIN)/python -m pytest tests/faults --override-ini addopts="$(APART)" $(IN_TWO) $(ARGS)

lint: $(VENV)/for-work   ## check style, types and the layering of folders
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

plots: $(VENV)/for-run   ## draw the figures of results/reference again, from its records alone
	$(BIN)/jacchain plot --results results/reference $(ARGS)

docs: $(VENV)/for-work   ## build the reference from the docstrings into build/docs
	$(BIN)/python -m sphinx -qW --keep-going docs build/docs
	@echo "build/docs/index.html"

grids: $(VENV)/for-work   ## write benchmarks/grids.json, the cells that all harnesses measure
	$(BIN)/python -m jacchain.harnesses.grids_file benchmarks/grids.json

bench: $(VENV)/for-work   ## time this commit by asv, with both numpy versions of asv.conf.json
	$(ASV) machine --yes --machine $(MACHINE)
	$(ASV) run --machine $(MACHINE) --record-samples 'HEAD^!' $(ARGS)

bench-quick: $(VENV)/for-work   ## the same, evaluations only and one process each
	$(MAKE) bench ARGS="--bench time_evaluate --attribute rounds=1 $(ARGS)"

bench-smoke: $(VENV)/for-work   ## run every asv benchmark once, here, and keep no result
	$(BIN)/python scripts/bench_smoke.py $(ARGS)

bench-pytest: $(VENV)/for-work   ## time the same cells by pytest-benchmark
	@mkdir -p results/pytest
	$(BIN)/python -m pytest benchmarks/pytest_suite --benchmark-enable --benchmark-warmup=on \
	  --benchmark-min-time=0.01 --benchmark-json=results/pytest/results.json $(ARGS)

dashboard: $(VENV)/for-work   ## build asv's pages of results/asv and serve them on this machine alone
	$(BIN)/jacchain dashboard $(ARGS)

clean:   ## remove what make made: environments, caches, results/local
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf build dist docs/claims .asv results/local results/chain results/self-test results/pytest results/plots results/harnesses
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. It is stale when pyproject.toml is newer than its stamp; what the tests and
# linters need beyond a run is installed only for them.

$(VENV)/for-run: pyproject.toml | $(BIN)/python
	@echo "Installing jacchain into $(VENV) (about a minute)"
	@$(PIP) --editable '.[data]'
	@touch $@

$(VENV)/for-work: pyproject.toml | $(BIN)/python
	@echo "Installing jacchain with its tests and linters into $(VENV) (about a minute)"
	@$(PIP) --editable '.[test,dev]'
	@touch $@ $(VENV)/for-run

$(VENV)/for-browser: $(VENV)/for-work
	@$(PIP) --editable '.[browser]'
	@touch $@

# On Linux the common build of torch may bring several GB for graphics cards. That for the CPU alone
# ends in +cpu, and is asked for first; once there, it is what the extra needs.
$(VENV)/for-peers: $(VENV)/for-work
	@echo "Installing torch and jax into $(VENV) (about two minutes)"
	@test "$$(uname)" != Linux || $(PIP) 'torch==$(TORCH)+cpu' 2>/dev/null \
	  || echo "No torch $(TORCH) for the CPU alone here: this takes the common one, maybe several GB"
	@$(PIP) --editable '.[peers]'
	@touch $@

$(LOWEST)/for-test: pyproject.toml | $(LOWEST)/bin/python
	@echo "Installing jacchain with the lowest versions it accepts into $(LOWEST) (about a minute)"
	@$(LOWEST)/bin/python scripts/lowest_versions.py > $(LOWEST)/lowest.txt
	@$(LOWEST)/bin/python -m pip install -qq --disable-pip-version-check --upgrade \
	  --constraint $(LOWEST)/lowest.txt --editable '.[test]'
	@touch $@

# Some systems ship Python without the part of venv that installs pip: then Python's own pip does it.
$(BIN)/python $(LOWEST)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "jacchain needs Python 3.11 or newer, and $(PYTHON) is not; name one that is:" \
	       "make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(@:/bin/python=) >/dev/null 2>&1 \
	  || { $(PYTHON) -m venv --clear --without-pip $(@:/bin/python=) \
	       && $(PYTHON) -m pip --python $@ install -qq --disable-pip-version-check pip; } \
	  || { rm -rf $(@:/bin/python=); echo "$(PYTHON) can make no virtual environment: install its venv or pip" \
	       "(on Debian: apt install python3-venv), then try again" >&2; exit 1; }
