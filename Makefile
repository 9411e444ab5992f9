# Every target sets up what it needs; the first run takes a minute or two, later ones start at once.
.PHONY: help setup demo test lint format storm mutants mutation bench docs lock clean
.DEFAULT_GOAL := help
PY := .venv/bin/python
# One more than cores: some always wait for another process.
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 1)

help: ## say what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 14

setup: ## make .venv from requirements.lock
	@scripts/setup.sh

demo: setup ## run everything here, with sandbox and machines (ARGS="--port 8000 --data DIR")
	@exec .venv/bin/coinslot demo $(ARGS)

# Each worker, and each program that a test starts, would compile again what none of them may keep.
test: setup ## run the tests (ARGS="-k words tests/unit")
	@scripts/programs.sh
	@env -u PYTHONDONTWRITEBYTECODE $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup ## check style, types and who imports whom
	@failed=0; for check in "ruff check ." "ruff format --check ." mypy lint-imports; do \
		.venv/bin/$$check || failed=1; done; exit $$failed

format: setup ## let ruff write what it can
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

storm: setup ## run long histories of faults (ARGS="--seed 1 --minutes 10")
	@exec $(PY) -m tests.storms $(ARGS)

mutants: setup ## put every known mistake in and see each one caught
	@exec $(PY) -m tests.mutants $(ARGS)

mutation: setup ## put generated mistakes in, and list what no test notices (ARGS="--seed 7 --sample 400 --only money")
	@exec $(PY) -m tests.mutation $(ARGS)

bench: setup ## measure throughput and latency on this machine
	@exec $(PY) -m bench $(ARGS)

docs: setup ## write docs/states.md, settings.md, schema.sql, openapi.json and the drawing of rooms from the code
	@$(PY) -m tests.write_states
	@$(PY) -m tests.write_evidence
	@$(PY) -m tests.write_settings
	@$(PY) -m tests.write_schema
	@$(PY) -m tests.write_openapi
	@$(PY) -m tests.write_rooms

# Hashes but no addresses: whoever installs chooses the registry. One file serves 3.11 and newer.
lock: setup ## resolve the dependencies anew
	@command -v uv >/dev/null || [ -x .venv/bin/uv ] || $(PY) -m pip install --quiet uv
	@PATH="$$PATH:$$PWD/.venv/bin" uv pip compile pyproject.toml --extra dev --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --upgrade --quiet --output-file requirements.lock

clean: ## remove .venv and caches; the data of the demo stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
