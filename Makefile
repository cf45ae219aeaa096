# What a person types; recipes longer than a few lines live in docker/*.sh and tests/kit/*.sh.
#   SESSION_DIR, RVBBIT_PORT, RVBBIT_PASSWORD, ... go on the command line, into the environment or into .env
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up down psql logs demo demo-live image test test-fast test-server test-long check-decoder bench docs docs-check lint lint-python lint-shell format clean

VENV := .venv
PYTHON := $(VENV)/bin/python
# Each process has servers of its own, and takes whole files of tests, in their order: few tests may take long.
TEST_PROCESSES ?= 2
PYTEST := $(PYTHON) -m pytest
SIDE_BY_SIDE := --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
DEMO_DIR ?= demo_sessions
# HOST=multicorn2 runs on MULTICORN2_IMAGE. Only from the command line: some shells have a HOST of their own.
ifeq ($(origin HOST),command line)
export RVBBIT_HOST := $(HOST)
endif
# The reaper of testcontainers is an image that must be fetched; the tests' containers are removed without it.
export TESTCONTAINERS_RYUK_DISABLED := true
SHELL_SCRIPTS := $(wildcard docker/*.sh tests/kit/*.sh) .ci/run
with_docker := source docker/common.sh && require_docker

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	    printf '  %-18s %s\n' "$$name" "$$text"; done
	@printf '\n  %s\n' 'make up SESSION_DIR=/path/session_dbs RVBBIT_PORT=5544 serves another folder; see .env.example'
	@printf '  %s\n' 'make up HOST=multicorn2 MULTICORN2_IMAGE=... uses Multicorn2; so does make test; see docs/multicorn2.md'

up: ## build the image if needed, serve the session folder, say how to connect
	@docker/up.sh

down: ## stop the server; its data and snapshots stay
	@$(with_docker) && compose down

psql: ## a psql shell on the running server
	@$(with_docker) && require_running_server && \
	    exec docker exec --interactive $$(test -t 0 && echo --tty) "$$(server_container)" psql -U rvbbit -d rvbbit

logs: ## follow the server's log
	@$(with_docker) && require_running_server && exec docker logs --follow --tail 200 "$$(server_container)"

demo: ## write demo sessions into the empty folder DEMO_DIR (demo_sessions)
	@docker/demo.sh sessions $(DEMO_DIR)

demo-live: ## keep one more session of DEMO_DIR open for a minute and add phases to it
	@docker/demo.sh live $(DEMO_DIR)

image: ## build the image alone; NO_CACHE=1 fetches Debian's newest security updates
	@docker/build.sh server

ifeq ($(RVBBIT_HOST),multicorn2)
test: $(if $(MULTICORN2_IMAGE),image) test-server
else
test: lint test-fast image test-server ## all checks: lint, brain tests, server tests against the image
endif

test-fast: $(VENV)/installed ## the tests that need no Docker
	$(PYTEST) $(SIDE_BY_SIDE) tests/brain tests/cli

test-server: $(VENV)/installed ## the tests against the image that was built last
	$(PYTEST) $(SIDE_BY_SIDE) tests/server tests/clients

test-long: $(VENV)/installed image $(if $(filter clients,$(KIND)),$(VENV)/clients) ## a long check by itself: KIND=clients, fuzz, sync or torture; COUNT and SEED as its docstring says
	@test -n "$(KIND)" -a -d "tests/long/$(KIND)" || { echo "KIND is one of: $$(cd tests/long && echo *)" >&2; exit 2; }
	COUNT="$(COUNT)" SEED="$(SEED)" $(PYTEST) --capture=no "tests/long/$(KIND)"

check-decoder: $(VENV)/installed ## decode every type with a host that AddressSanitizer and UBSan watch
	@docker/build.sh sanitized rvbbit-fdw-sanitized:latest
	RVBBIT_IMAGE=rvbbit-fdw-sanitized:latest $(PYTEST) tests/server/test_types.py \
	    tests/server/test_unrepresentable.py tests/server/test_declared_types.py

bench: $(VENV)/installed image ## measure a session against an ordinary table, a minute or two
	$(PYTHON) -m tests.bench.run

docs: $(VENV)/installed image ## write the pages that are made, and the answers in README.md and the recipes
	PYTHONPATH=fdw $(PYTHON) -m rvbbit_fdw.typemap.document > docs/types.md
	PYTHONPATH=fdw $(PYTHON) -m rvbbit_fdw.pushdown.document > docs/pushdown.md
	for page in tests/server/test_docs*.py; do $(PYTHON) -m tests.server.$$(basename $$page .py) || exit 1; done

docs-check: $(VENV)/installed image ## is all that documents show still true, and does every link lead somewhere?
	$(PYTEST) tests/brain/test_links.py tests/brain/test_document.py tests/brain/test_transcript.py \
	    tests/brain/test_*_page.py tests/server/test_docs*.py

lint: lint-python lint-shell ## ruff, mypy, shell syntax

lint-python: $(VENV)/installed
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

lint-shell:
	@for script in $(SHELL_SCRIPTS); do bash -n "$$script" || exit 1; done
	@if command -v shellcheck > /dev/null; then shellcheck -x $(SHELL_SCRIPTS); fi

format: $(VENV)/installed ## rewrite the Python files as the formatter wants them
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

clean: ## remove what builds and tests left here (no session, no volume, no image)
	rm -rf $(VENV) build .cache .mypy_cache .ruff_cache .pytest_cache fdw/*.egg-info sql/build docker/ca/host.crt

$(VENV)/installed: pyproject.toml tests/kit/venv.sh
	@tests/kit/venv.sh $(VENV)
	@touch $@

$(VENV)/clients: $(VENV)/installed
	@tests/kit/venv.sh $(VENV) clients
	@touch $@
