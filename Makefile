# Every target sets up what it needs: one virtual environment in the checkout, from the hashed lock.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
SPATIAL_ASSETS_HOME ?= $(CURDIR)/data
export SPATIAL_ASSETS_HOME
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What open3d links against on Debian and Ubuntu; nothing else needs a system package.
SYSTEM_PACKAGES := libusb-1.0-0 libx11-6 libegl1 libgl1
# Half of all Python code in the packages: their own tests, plotly, which open3d asks for, what is compiled already, and
# what others bring along and nobody here loads. It is compiled where it is imported after all.
UNLOADED := pip|plotly|mypy|mypyc|setuptools|networkx|rdflib|jedi|wcwidth|pygments/lexers|sqlalchemy/(orm|testing)
NOT_IMPORTED := /tests?/|/site-packages/($(UNLOADED))/
# Without compiled modules beside the sources, each process of the tests compiles the package anew.
unexport PYTHONDONTWRITEBYTECODE

PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps
# uv unpacks on all cores, pip on one. It asks the index that pip is configured with, where that is one of its own.
BY_UV = $(PIP) --require-hashes --only-binary :all: -r installer.lock \
  && index="$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)}" \
  && { [ -z "$$index" ] || export UV_DEFAULT_INDEX="$$index"; } \
  && $(BIN)/uv pip install -q --python $(BIN)/python --no-deps --require-hashes -r requirements.lock

.PHONY: help setup demo test kernels prove bench ui lint format lock clean

help:  ## show this list
	@awk -F':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## create .venv and install everything, once

$(READY): requirements.lock installer.lock pyproject.toml
	@echo "setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 setup" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BY_UV) || { echo "installing with pip instead of uv, which takes a minute longer"; $(PIP) --require-hashes --no-compile -r requirements.lock; }
	@$(BIN)/python -m compileall -qq -j 0 -x '$(NOT_IMPORTED)' $(VENV)/lib || true  # not all files of packages compile
	@$(PIP) --no-build-isolation -e .
	@$(BIN)/python -c 'import open3d' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing the system libraries of open3d: $(SYSTEM_PACKAGES)"; \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends $(SYSTEM_PACKAGES) >/dev/null; \
	  fi; }
	@$(BIN)/python -c 'import open3d' 2>/dev/null || { echo "open3d cannot load; run: sudo apt-get install -y --no-install-recommends $(SYSTEM_PACKAGES)" >&2; exit 1; }
	@touch $@
	@echo "set up: $(VENV)"

demo: $(READY)  ## make procedural scenes, build every asset on them, say where to look
	@$(BIN)/spatial-assets demo

test: kernels  ## every test but the long proofs
	@$(BIN)/python -m pytest -m "not prove" -n 2 --dist loadfile --no-loadscope-reorder

kernels: $(READY)  ## compile ahead what geometry is computed with
	@$(BIN)/spatial-assets compile

prove: $(READY)  ## every bar at full size; prints required against measured; ONLY=word for some
	@$(if $(ONLY),,$(BIN)/python -m pytest -m prove -s)
	@$(BIN)/python -m benchmarks.prove $(ONLY)

bench: $(READY)  ## speed side by side with named alternatives
	@$(BIN)/python -m benchmarks

ui: $(READY)  ## the Dagster UI over the data in SPATIAL_ASSETS_HOME
	@$(BIN)/spatial-assets ui

lint: $(READY)  ## ruff and mypy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy -n 2

format: $(READY)  ## rewrite the code in the house style
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

lock:  ## resolve requirements.lock and installer.lock anew (needs uv on the path)
	@UV_PYTHON_DOWNLOADS=never uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --upgrade -o requirements.lock
	@echo uv | uv pip compile - --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --upgrade -o installer.lock

clean:  ## remove the environment and the caches, never the data
	@rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
