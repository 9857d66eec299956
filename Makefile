# Everything here works from a fresh clone with nothing but python3 (3.11 or newer) and make.
# `make help` lists the targets; VENV, PYTHON and PORT can be given on the command line.

VENV ?= .venv
PYTHON ?= python3
REQUESTS ?= 20000
SOAK_SECONDS ?= 3600
PORT ?= $(or $(GRANTPROOF_PORT),9090)
JOBS ?= $(or $(shell getconf _NPROCESSORS_ONLN 2>/dev/null),2)

BIN := $(VENV)/bin
READY := $(VENV)/.installed
# Folders that later work adds are checked from the day they appear.
CODE := $(wildcard src tests specs bench examples deploy)
# The tests run in pieces, so that one processor does not wait for the other. What has no piece of
# its own, and what later work adds, is among the rest.
PIECES := tests/unit/specs/ tests/unit/cli/
UNIT := $(wildcard tests/unit/*/ tests/unit/*.py)
REST := tests/repository $(filter-out $(PIECES) %__pycache__/,$(UNIT))
TESTS := check-tests-rest check-tests-specs check-tests-cli
# Those that take longest first: make begins them in this order.
CHECKS := check-tests-rest check-tests-specs check-mypy check-tests-cli check-pyright check-lint \
	check-imports check-format
# The pieces run side by side; make 4.0 and newer print each one's output whole.
WHOLE := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
SIDE_BY_SIDE := --no-print-directory --jobs=$(JOBS) --keep-going $(WHOLE)

.DEFAULT_GOAL := help
.PHONY: help run test check check-tests $(CHECKS) verify verify-deep verify-against specs matrix
.PHONY: faults mutants tla traces crosshair fuzz browser survive soak bench bench-peers dist
.PHONY: reference site lock format clean
.PHONY: example-documents example-expenses example-tenants

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## start the service with the demo organization on port $PORT (9090)
	@GRANTPROOF_PORT=$(PORT) $(BIN)/grantproof serve --demo

example-documents: $(READY) ## an application: documents in folders, with owners, on port 8001
	@$(BIN)/python -m examples.documents

example-expenses: $(READY) ## an application: expenses, separation of duty, a quota, on port 8002
	@$(BIN)/python -m examples.expenses

example-tenants: $(READY) ## an application: an organization for each tenant, on port 8003
	@$(BIN)/python -m examples.tenants

test: $(READY) ## run every test, on JOBS processors
	@$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=worksteal

check: $(READY) ## the gate: format, lint, types, imports, tidiness, unit tests
	@$(MAKE) $(SIDE_BY_SIDE) $(CHECKS)

check-format: $(READY) ## is the code formatted
	@$(BIN)/ruff format --check $(CODE)

check-lint: $(READY) ## ruff's rules
	@$(BIN)/ruff check $(CODE)

check-mypy: $(READY) ## mypy strict, everywhere
	@$(BIN)/mypy $(CODE)

check-pyright: $(READY) ## pyright strict, on what the proofs read
	@$(BIN)/pyright --pythonpath $(BIN)/python

check-imports: $(READY) ## who may import whom
	@$(BIN)/lint-imports --no-logo

check-tests: $(TESTS) ## the tests of the repository itself and the unit tests

check-tests-specs: $(READY) ## the unit tests of what proves
	@$(BIN)/python -m pytest --quiet tests/unit/specs/

check-tests-cli: $(READY) ## the unit tests of the command line
	@$(BIN)/python -m pytest --quiet tests/unit/cli/

check-tests-rest: $(READY) ## the tests of the repository itself and all other unit tests
	@$(BIN)/python -m pytest --quiet $(REST)

verify: $(READY) ## what is promised of it: proofs, models, faults, property tests, smoke
	@$(BIN)/python -m specs.gate

verify-against: $(READY) ## is what decides the same as at REV: proved, or a request that shows it
	@test -n '$(REV)' || { echo 'grantproof: say against what: `make $@ REV=HEAD~1`' >&2; exit 2; }
	@$(BIN)/python -m specs.against '$(REV)' --json

specs: $(READY) ## the proofs about the production source, and that no cell of the matrix is open
	@$(BIN)/python -m specs
	@$(BIN)/python -m specs.matrix --holes

matrix: $(READY) ## every command by every invariant: which argument closes each cell
	@$(BIN)/python -m specs.matrix

faults: $(READY) ## seeded faults, each of which its own gate must catch
	@$(BIN)/python -m specs.faults

mutants: $(READY) ## everything that decides changed in turn: proofs or tests must notice
	@$(BIN)/python -m specs.mutants

crosshair: $(READY) ## what CrossHair confirms of the scalar contracts
	@$(BIN)/python -m specs.crosshair

traces: $(READY) ## races on real databases, each trace explained by the model or refuted
	@$(BIN)/python -m specs.traces

tla: $(READY) ## what TLC says of the models of concurrent administration
	@$(BIN)/python -m specs.tlc

verify-deep: $(READY) ## what is too large for the gate: more administrators, whole proofs thrice
	@$(BIN)/python -m specs.tlc --deep
	@$(BIN)/python -m specs --whole

fuzz: $(READY) ## 20,000 requests made of the OpenAPI document; REQUESTS says how many
	@GRANTPROOF_FUZZ_REQUESTS=$(REQUESTS) $(BIN)/python -m pytest --quiet tests/api/test_schema.py

browser: $(READY) ## the console in Chromium: screens, keyboard, accessibility; build/browser
	@command -v chromium >/dev/null || \
		{ echo 'grantproof: `chromium` not found: `apt install chromium`, then try again' >&2; exit 2; }
	@$(BIN)/python -m pytest --quiet tests/browser

survive: $(READY) ## crashes, races, lost databases, full disks, hostile requests at the full scale
	@GRANTPROOF_SURVIVE=full $(BIN)/python -m pytest --quiet -o faulthandler_timeout=7200 \
		tests/survival

soak: $(READY) ## a steady load for an hour: memory stays flat; SOAK_SECONDS says how long
	@SOAK_SECONDS=$(SOAK_SECONDS) $(BIN)/python -m tests.survival.soak

bench: $(READY) ## measure, and compare with the floors; report and plots in build/bench
	@$(BIN)/python -m bench

bench-peers: $(READY) ## the same with other engines, installed into build/bench (network, an hour)
	@$(BIN)/python -m bench --peers

dist: $(READY) ## make a release in build/dist: packages, bill of materials, digests
	@$(BIN)/python -m deploy.release build/dist

format: $(READY) ## format the code and apply the safe fixes
	@$(BIN)/ruff check --fix --quiet $(CODE); $(BIN)/ruff format $(CODE)

reference: $(READY) ## make docs/openapi.json, the schemas and docs/reference of the code
	@$(BIN)/python -m tests.repository.reference

site: $(READY) ## the documentation as a site, in build/site: open index.html there
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs --quiet build --strict \
		--config-file deploy/site/mkdocs.yml
	@echo 'the site is in build/site: $(BIN)/python -m http.server --directory build/site 8080'

lock: ## bring requirements.lock in line with pyproject.toml, keeping pins (needs uv)
	@command -v uv >/dev/null || \
		{ echo 'grantproof: `uv` not found: `pip install uv`, then try again' >&2; exit 1; }
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
		--python-version 3.11 --extra dev pyproject.toml -o requirements.lock

clean: ## remove the environment, the caches and the built files
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find $(CODE) -type d -name __pycache__ -prune -exec rm -rf {} +

# Stale when what it is made from, or the interpreter that it stands on, has changed.
$(READY): requirements.lock pyproject.toml .ci/venv $(BIN)/python
	@.ci/venv '$(PYTHON)' '$(VENV)'

$(BIN)/python: ;
