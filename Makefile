# `make up` serves a city, `make test` tests; each first brings what this machine lacks.
BIN := .venv/bin
.DEFAULT_GOAL := up
.PHONY: up setup test lint bench qgis lock

up: setup
	@./chengtu up

setup:
	@scripts/setup.sh

test:
	@scripts/setup.sh dev
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/sqlfluff lint --disable-progress-bar sql/*.sql

bench:
	@scripts/setup.sh dev
	@$(BIN)/python -m benchmarks

qgis:
	@scripts/setup.sh qgis

lock:
	@scripts/setup.sh lock
