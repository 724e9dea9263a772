# Needs Python 3.11 to 3.13, git and make; everything else goes into .venv, once. `make help` lists what can be made.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

.DEFAULT_GOAL := help
.PHONY: help install train test test-slow test-gpu lint format measure-fusions measure-balancing clean

help:  ## list what can be made
	@awk -F ':.*  ## ' '/^[a-z-]+:.*  ## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED)  ## set up only: the project and its checks in .venv

train: $(INSTALLED)  ## set up, then train on generated data: about a minute on two cores
	$(BIN)/mmtrain train

test: lint  ## set up, then lint, check types and run every test under 20 seconds
	$(BIN)/python -m pytest

test-slow: $(INSTALLED)  ## run the tests that take longer
	$(BIN)/python -m pytest -m "slow and not gpu"

test-gpu: $(INSTALLED)  ## run the tests that need a CUDA device
	$(BIN)/python -m pytest -m gpu

lint: $(INSTALLED)  ## check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED)  ## mend style and format where a machine can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Every fusion on a label that takes both modalities; then more seeds of concat, the token fusions and the five others that are best
# on validation. Two single-thread jobs at once; finished ones are skipped, so that it can be stopped and taken up again. Needs MMTRAIN_DATA.
FUSIONS := outputs/measure/fusions
SWEEP := $(BIN)/mmtrain train -m --workers 2 experiment=avdigits_sum training.threads=1
ALWAYS := concat transformer cross_attention bottleneck

measure-fusions: $(INSTALLED)  ## compare all fusions on avdigits_sum: about an hour on two cores
	$(SWEEP) seed=0 hydra.sweep.dir=$(FUSIONS)/all \
		model=$$(ls configs/model | sed 's/[.]yaml//' | paste -sd, -)
	$(SWEEP) seed=1,2 hydra.sweep.dir=$(FUSIONS)/best \
		model=$$( (printf 'fusion_%s\n' $(ALWAYS); awk -F, 'NR > 1 {print $$2}' $(FUSIONS)/all/summary.csv) | awk '!seen[$$0]++' | head -9 | paste -sd, -)

measure-balancing: $(INSTALLED)  ## what a step costs under each balancing method: about half an hour
	$(BIN)/python tests/balancing/cost.py

clean:  ## delete .venv and what the checks cached; runs and the store stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache

# The stamp is newer than the list of dependencies and packages: nothing is installed twice, and a half-finished set-up is taken up again.
# pip knows --group since 25.1; Python 3.11 brings 23.2.
$(INSTALLED): pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { echo "'$(PYTHON)' was not found; name a Python 3.11 to 3.13: make PYTHON=python3.12 ..."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "'$(PYTHON)' is $$("$(PYTHON)" --version 2>&1), mmtrain needs 3.11 to 3.13; name one: make PYTHON=python3.12 ..."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "'$(PYTHON)' comes without its venv module; install it, on Debian and Ubuntu as python3-venv"; exit 1; }
	"$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --editable ".[timm,huggingface,video,balancing]" --group dev
	@touch $@
