# The two commands of the README are `make demo` and `make test`; each does its own set-up.
PYTHON ?= python3
UV := build/env/uv/bin/uv
SYNC := $(UV) sync --frozen --quiet --python $(PYTHON)
VENV := .venv/bin
export PATH := $(CURDIR)/build/env/uv/bin:$(PATH)
export UV_PYTHON_DOWNLOADS := never

.PHONY: setup lint test demo format lock clean

setup: build/env/done

build/env/done: uv.lock pyproject.toml tests/package-lock.json Makefile
	@echo "Setting up: environments in .venv and build/env, Node tools in tests/node_modules"
	$(PYTHON) -m venv build/env/uv
	build/env/uv/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	$(SYNC)
	UV_PROJECT_ENVIRONMENT=build/env/ministack $(SYNC) --only-group ministack
	UV_PROJECT_ENVIRONMENT=build/env/sam $(SYNC) --only-group sam
	npm ci --prefix tests --silent --no-audit --no-fund
	@touch $@
