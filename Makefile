# Development commands. `make run` and `make test` set up everything that they need.
# Requirements: Python 3.11 or newer, and make.

PYTHON ?= python3
# The installed uv, or else one in .uv
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
UV_VERSION := 0.13.9
BIN := .venv/bin
TEST_JOBS ?= auto
# Extras of pyproject.toml, with commas between them; they stay installed.
comma := ,
EXTRA_OPTIONS = $(addprefix --extra ,$(subst $(comma), ,$(EXTRAS)))
# Node.js comes from PyPI when the page is built; an installed Node.js is not used.
BUILD_WEB = $(UV) run --quiet --frozen --isolated --only-group web --python $(PYTHON) python tools/build_web.py

export UV_PYTHON_DOWNLOADS ?= never
# Compiling at installation makes every start one second faster.
export UV_COMPILE_BYTECODE ?= 1

.DEFAULT_GOAL := help
.PHONY: help run install web npm test lint audit fuzz mutants format docs bench soak screenshots clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

run: install web ## Start the server on http://127.0.0.1:8000
	@$(BIN)/scanrill serve $(ARGS)

install: .venv/.installed ## Install scanrill into .venv; make install EXTRAS=scale adds extras
	$(if $(EXTRAS),$(UV) sync --quiet --frozen --inexact --no-default-groups --python $(PYTHON) $(EXTRA_OPTIONS))

web: | $(UV) ## Build the web page if its sources have changed
	@$(PYTHON) tools/build_web.py --check || $(BUILD_WEB)

npm: | $(UV) ## Run npm in web/: make npm ARGS="run dev"
	@$(BUILD_WEB) npm $(ARGS)

test: .venv/.installed-dev web ## Run the tests; ARGS=--slow adds the slow ones, --deployment=scaled uses PostgreSQL, Redis and workers
	$(BIN)/pytest -n $(TEST_JOBS) --dist worksteal $(ARGS)

lint: .venv/.installed-dev | $(UV) ## Check style, types, imports and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	SCANRILL_SECRET_KEY=lint $(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	SCANRILL_SECRET_KEY=lint $(BIN)/python -m docs.check
	@$(BUILD_WEB) npm run check
	SCANRILL_SECRET_KEY=lint $(BIN)/python -m django makemigrations --check --dry-run --skip-checks --settings backend_main.backend.settings

audit: | $(UV) ## Look up known vulnerabilities of the locked packages; fails nothing
	@$(PYTHON) tools/audit.py $(UV)

fuzz: .venv/.installed-dev web ## Feed random input to all parsers: make fuzz ARGS="--examples 100000"
	$(BIN)/python -m tests.security.fuzz $(ARGS)

mutants: .venv/.installed-dev web ## Take guards out one by one; each must turn a test red: make mutants ARGS=m10
	$(BIN)/python -m tests.security.mutants $(ARGS)

format: .venv/.installed-dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.installed-docs ## Build the documentation in site/
	@SCANRILL_SECRET_KEY=docs $(BIN)/python -m docs.site

bench: .venv/.installed-bench web ## Run the benchmarks and write the tables of benchmarks/README.md
	$(BIN)/python -m benchmarks.end_to_end_latency --write
	$(BIN)/python -m benchmarks.accuracy --write
	$(BIN)/python -m benchmarks.pdf --write
	$(BIN)/python -m benchmarks.reading_speed --write
	$(BIN)/python -m benchmarks.reading_memory --write
	$(BIN)/python -m benchmarks.ingest --write
	$(BIN)/python -m benchmarks.install --write
	$(BIN)/python -m benchmarks.web_page --write
	$(BIN)/python -m benchmarks.stream_bandwidth --write
	$(BIN)/python -m benchmarks.fan_out --write
	$(BIN)/python -m benchmarks.database_scaling --write
	$(BIN)/python -m benchmarks.scale_out --write
	$(BIN)/python -m benchmarks.hostile --write
	$(BIN)/python -m benchmarks.hostile --mode scaled --write

soak: .venv/.installed-dev ## Run the soak test for half an hour: make soak ARGS="--mode scaled"
	$(BIN)/python -m benchmarks.soak $(ARGS)

screenshots: .venv/.installed-dev web ## Take the screenshots of the documentation
	$(BIN)/python -m tools.screenshots

clean: ## Remove installed packages and caches, not your data
	rm -rf .venv .uv .docs site .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.installed: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --frozen --inexact --no-default-groups --python $(PYTHON)
	@touch $@

.venv/.installed-dev: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --frozen --inexact --python $(PYTHON)
	@touch $@ .venv/.installed .venv/.installed-docs

.venv/.installed-docs: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --frozen --inexact --no-default-groups --group docs --python $(PYTHON)
	@touch $@ .venv/.installed

.venv/.installed-bench: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --frozen --inexact --group bench --python $(PYTHON)
	@touch $@ .venv/.installed-dev .venv/.installed

.uv/bin/uv:
	$(PYTHON) -m venv .uv
	.uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
