# `make run` and `make test` do their own set-up; they need Python 3.11 or newer and nothing else.

BIN := .venv/bin
PYTEST := $(BIN)/pytest
# For commands that need settings and servers, whatever is in them.
AROUND := $(BIN)/python -m imageskill.dev.embedded.with_servers

# Many processes are started, and each would compile all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run demo test check types imports generated format openapi soak bench contract-check audit lock run-environment test-environment

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s%s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: run-environment ## run everything on this machine (PORT, DATA_DIR, DATABASE_URL, REDIS_URL, STANDINS)
	@$(BIN)/python -m imageskill.dev.embedded.run

demo: run-environment ## fill what `make run` keeps, running or not, with a history (SEED, SIZE=1m)
	@$(BIN)/python -m imageskill.dev.embedded.demo $(if $(SEED),--seed $(SEED)) $(if $(SIZE),--size $(SIZE))

test: $(if $(ONLY),test-environment,check) ## every check and every test (ONLY=billing: those in tests/billing)
	$(PYTEST) -n 2 --dist loadgroup $(if $(ONLY),tests/$(ONLY))

check: test-environment ## format, lint, types, imports, migrations, OpenAPI snapshot
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@$(AROUND) $(MAKE) --no-print-directory --jobs 2 types imports generated

types: test-environment
	$(BIN)/mypy

imports: test-environment
	$(BIN)/lint-imports

generated: test-environment # what models and schemas have to agree with
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py openapi --check

format: test-environment ## put the code into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: test-environment ## refresh docs/openapi.json and docs/agents.md
	$(AROUND) $(BIN)/python manage.py openapi

soak: test-environment ## long random runs
	HYPOTHESIS_PROFILE=soak $(PYTEST) -m soak

bench: test-environment ## measure, and print a table of ratios (SIZE=1m for the big one; ONLY=name)
	$(BIN)/python -m tests.bench

contract-check: test-environment ## by hand: SPECS=folder of vendors' OpenAPI documents, NODE_CLIENT=folder; nginx, systemd, Helm (HELM_PYTHON, KEDA)
	$(PYTEST) -m by_hand tests

audit: ## check locked dependencies for known vulnerabilities (needs the network)
	@requirements/audit

lock: ## resolve requirements/*.txt anew (needs uv)
	uv pip compile pyproject.toml $(LOCK) --output-file requirements/production.txt
	uv pip compile pyproject.toml $(LOCK) --output-file requirements/run.txt --extra embedded
	uv pip compile pyproject.toml $(LOCK) --output-file requirements/test.txt --extra embedded --group dev

LOCK := --universal --python-version 3.11 --generate-hashes --no-header --upgrade --quiet

run-environment:
	@requirements/install run

test-environment:
	@requirements/install test
