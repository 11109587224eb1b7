# The two commands of the README are `make demo` and `make test`; each does its own set-up.
PYTHON ?= python3
UV := build/env/uv/bin/uv
SYNC := $(UV) sync --frozen --quiet --python $(PYTHON)
BIN := .venv/bin
EXPORT := $(UV) export --frozen --quiet --no-dev --no-emit-project --no-hashes --no-annotate --no-header
export UV_PYTHON_DOWNLOADS := never

.PHONY: demo test simulate model mutation bench bench-docs verifiers-docs lint setup format lock docs clean

demo: setup
	$(BIN)/python -m tests.demo

test: setup
	$(BIN)/pytest

simulate: setup
	$(BIN)/pytest -q tests/simulation/contract
	$(BIN)/python -m tests.simulation

model: setup
	$(BIN)/python -m tests.model

# How many changed lines of the core the tests notice; takes long, and is no part of .ci/run.
mutation: setup
	UV_PROJECT_ENVIRONMENT=build/env/mutation $(SYNC) --group mutation --no-install-project
	build/env/mutation/bin/python -m tests.mutation

bench: setup build/env/bench.done
	$(BIN)/python -m tests.bench $(PART)

bench-docs: setup build/env/bench.done
	$(BIN)/python -m tests.bench.docs

verifiers-docs: setup
	$(BIN)/python -m tests.verifiers

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml
	SAM_CLI_TELEMETRY=0 build/env/sam/bin/sam validate --lint --template template.yaml --region us-east-1
	LOG_LEVEL=CRITICAL build/env/checkov/bin/checkov --file template.yaml --config-file .ci/checkov.yaml
	tests/node_modules/.bin/asl-validator --json-path statemachine/rotation.asl.json
	$(EXPORT) | diff functions/requirements.txt - # the artefact is built from the lock file

setup: build/env/done

# One environment for the product, one for each tool that pins another botocore.
build/env/done: uv.lock pyproject.toml tests/package-lock.json Makefile
	@echo "Setting up: .venv, build/env, tests/node_modules"
	test -x $(UV) || $(PYTHON) -m venv build/env/uv
	build/env/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(SYNC) --extra cli
	UV_PROJECT_ENVIRONMENT=build/env/ministack $(SYNC) --only-group ministack
	UV_PROJECT_ENVIRONMENT=build/env/sam $(SYNC) --only-group sam
	UV_PROJECT_ENVIRONMENT=build/env/checkov $(SYNC) --only-group checkov
	npm ci --prefix tests --silent --no-audit --no-fund
	@touch $@

# What the bench measures: the product's own dependencies and nothing else, and the others.
build/env/bench.done: build/env/done tests/bench/package-lock.json
	@echo "Setting up: build/env/artefact, build/env/bench, tests/bench/node_modules"
	UV_PROJECT_ENVIRONMENT=build/env/artefact $(SYNC) --no-dev --no-install-project
	UV_PROJECT_ENVIRONMENT=build/env/bench $(SYNC) --only-group bench
	npm ci --prefix tests/bench --silent --no-audit --no-fund
	@touch $@

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup
	$(UV) lock
	$(EXPORT) -o functions/requirements.txt
	$(SYNC) --extra cli
	$(BIN)/python -m tests.aws_models

docs: setup
	$(BIN)/python -m tests.readme.diagram

clean:
	rm -rf build .venv .aws-sam tests/node_modules tests/bench/node_modules
