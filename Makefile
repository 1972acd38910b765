# `make run` needs python3 (3.11 or newer) and make; everything else it fetches into .venv.
MAKEFLAGS += --warn-undefined-variables
SHELL := /bin/sh
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := UV_PROJECT_ENVIRONMENT=$(VENV) UV_PYTHON_DOWNLOADS=never $(BIN)/uv
# --inexact: uv itself lies in the environment and is not in the lock.
SYNC := $(UV) sync --quiet --frozen --inexact --python $(BIN)/python
LOCKED := uv.lock pyproject.toml

.PHONY: help run up down install install-dev test test-failure test-unit check format bench

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: install  ## the whole system on this machine; Ctrl-C stops it
	@$(BIN)/python -m deploy.local

up: install  ## the whole system in containers, with Apache Kafka; waits until it is ready
	@$(BIN)/python -m deploy.containers up

down: install  ## stop what `make up` started; the data stays
	@$(BIN)/python -m deploy.containers down

install: $(VENV)/installed  ## what `make run` needs, and ./hotline
install-dev: $(VENV)/installed-dev  ## and what the tests need

test: install-dev  ## all tests, on the strongest engines there are (HOTLINE_TEST_ENGINES), with coverage
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not long" --cov --cov-report=term:skip-covered

# And the other tests that take minutes. POINTS blows; SEED repeats a series; EXAMPLES questions to each route.
LONG := tests/failure tests/end_to_end/test_kills.py tests/end_to_end/test_recover.py \
	tests/end_to_end/test_foreign_followers.py tests/integration/engines/test_kafka_node.py \
	tests/integration/shared/store/test_nothing_is_acknowledged_before_the_standby_has_it.py \
	tests/integration/services/test_clients.py tests/integration/services/test_schemathesis.py \
	tests/integration/services/dedup/test_a_lost_tail_is_adopted.py \
	tests/integration/services/referral/test_a_lost_tail_is_adopted.py \
	tests/integration/services/referral/test_a_tail_breaks_off.py \
	tests/integration/services/referral/test_what_waits_is_adopted.py
POINTS ?= 1000
SEED ?=
EXAMPLES ?= 300
test-failure: install-dev  ## kill, stop and wipe everything under load, 1,000 times (POINTS, SEED)
	HOTLINE_FAILURE_POINTS=$(POINTS) HOTLINE_FAILURE_SEED=$(SEED) \
	HOTLINE_SCHEMATHESIS_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -s $(LONG)

test-unit: install-dev  ## the tests that need no database
	HOTLINE_TEST_ENGINES=embedded $(BIN)/python -m pytest tests/unit

check: install-dev  ## format, lint, types, imports, schemas, migrations
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m shared.contracts.schemas --check
	$(BIN)/python -m shared.store.migration_check

format: install-dev  ## put the code into its form
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: install-dev  ## the measurements beside their peers; results as JSON and Markdown
	$(BIN)/python -m tests.bench

$(BIN)/uv:
	@$(PYTHON) deploy/local/preflight.py
	@echo "Making $(VENV) and installing what is locked; this takes a minute, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9

$(VENV)/installed: $(BIN)/uv $(LOCKED)
	@$(SYNC) --no-dev --group embedded
	@touch $@

$(VENV)/installed-dev: $(BIN)/uv $(LOCKED)
	@$(SYNC)
	@touch $@ $(VENV)/installed
