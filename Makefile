# The two commands of the README are `make demo` and `make test`; each does its own set-up.
PYTHON ?= python3
UV := build/env/uv/bin/uv
SYNC := $(UV) sync --frozen --quiet --python $(PYTHON)
BIN := .venv/bin
EXPORT := $(UV) export --frozen --quiet --only-group artefact --no-emit-project --no-annotate --no-header
# What may ship in the artefact, as the packages themselves spell it; an OR or a ; leaves the choice.
ALLOWED := Apache-2.0;Apache Software License;Apache-2.0 OR BSD-3-Clause;BSD License;BSD-2-Clause;BSD-3-Clause
ALLOWED := $(ALLOWED);MIT;MIT License;MIT-0;MIT No Attribution License (MIT-0);PSF-2.0
LICENCES := { printf '%s\n\n' "\# Licences of what ships in the artefact" && \
	build/env/licences/bin/pip-licenses --python build/env/artefact/bin/python \
	--from=mixed --format=markdown --allow-only="$(ALLOWED)"; }
export UV_PYTHON_DOWNLOADS := never
# Where this is set, as in many containers, each of a thousand commands compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test simulate model soak conformance mutation bench bench-docs verifiers-docs lint audit licences wheel package cdk setup format \
	lock docs clean

demo: setup
	$(BIN)/python -m tools.demo

# Half of it waits for what AWS takes time for, so two processes share it; each has its own local AWS.
test: setup
	$(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

simulate: setup
	$(BIN)/python -m tests.simulation

model: setup
	$(BIN)/python -m tests.model

# An hour of load, rotations and emergencies on a local stack; no part of .ci/run.
soak: setup
	$(BIN)/python -m tools.soak --minutes 60 --rotations 60 --emergencies 20

# On the account that the environment names: STACK=… CONFIRM=<account id>; LOCAL=1 on a local AWS. Never in CI.
conformance: setup
	$(BIN)/python -m tools.conformance

# How many changed lines of the core the tests notice; takes long, and is no part of .ci/run.
mutation: setup
	UV_PROJECT_ENVIRONMENT=build/env/mutation $(SYNC) --group mutation --no-install-project
	build/env/mutation/bin/python -m tools.mutation

bench: setup build/env/bench.done
	$(BIN)/python -m tools.bench $(PART)

bench-docs: setup build/env/bench.done
	$(BIN)/python -m tools.bench.docs

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
	$(LICENCES) | diff docs/licences.md - # allowed, and listed

# Whether advisories are known for what ships and for the CLI; needs https://api.osv.dev.
audit: setup
	@$(UV) audit --frozen --no-default-groups --preview-features audit-command; status=$$?; \
	[ $$status -lt 2 ] || echo "Nothing was audited: see the error above." >&2; exit $$status

# The operator's command for machines without the repository.
wheel: setup
	$(UV) build --wheel --quiet --out-dir build/wheel

# The release: template, artefact, wheel and their checksums in build/package.
package: setup
	$(BIN)/python -m tools.release

# Synthesizes examples/cdk with the real CDK; the other tests of it need no CDK.
cdk: setup
	UV_PROJECT_ENVIRONMENT=build/env/cdk $(SYNC) --only-group cdk
	$(BIN)/pytest -q tests/cdk

licences: setup
	$(LICENCES) > docs/licences.md

setup: build/env/done

# One environment for the product, one for what ships of it, one for each tool that must not be in either.
build/env/done: uv.lock pyproject.toml tests/package-lock.json Makefile
	@echo "Setting up: .venv, build/env, tests/node_modules"
	test -x $(UV) || $(PYTHON) -m venv build/env/uv
	build/env/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(SYNC)
	UV_PROJECT_ENVIRONMENT=build/env/ministack $(SYNC) --only-group ministack
	UV_PROJECT_ENVIRONMENT=build/env/sam $(SYNC) --only-group sam
	UV_PROJECT_ENVIRONMENT=build/env/checkov $(SYNC) --only-group checkov
	UV_PROJECT_ENVIRONMENT=build/env/aws $(SYNC) --only-group aws
	UV_PROJECT_ENVIRONMENT=build/env/artefact $(SYNC) --only-group artefact
	UV_PROJECT_ENVIRONMENT=build/env/licences $(SYNC) --only-group licences
	npm ci --prefix tests --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# What the bench measures beside the product's own dependencies.
build/env/bench.done: build/env/done tools/bench/package-lock.json
	@echo "Setting up: build/env/bench, tools/bench/node_modules"
	UV_PROJECT_ENVIRONMENT=build/env/bench $(SYNC) --only-group bench
	npm ci --prefix tools/bench --silent --no-audit --no-fund --ignore-scripts
	@touch $@

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup
	$(UV) lock
	$(EXPORT) -o functions/requirements.txt
	$(SYNC)
	$(BIN)/python -m tools.aws_models

docs: setup
	$(BIN)/python -m tools.diagram
	$(BIN)/python -m tests.permissions.table

clean:
	rm -rf build .venv .aws-sam tests/node_modules tools/bench/node_modules
