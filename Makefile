# Everything starts from a bare Python 3.11:  make run   make test   make bench   make lint
PYTHON ?= python3
VENV := .venv
CLIENTS := .venv-clients
BIN := $(VENV)/bin
DATA ?= .data
PATIENTS ?= 500
SEED ?= 7
PORT ?= 8000
# One more than two processors have: tests that start servers wait a fifth of their time.
JOBS ?= 3
STATIC_FILES := $(shell find src/openward -path '*/static/*' -type f)
STATIC_STAMP := src/openward/server/collected/.collected

.PHONY: setup setup-test run test bench lint lock clean

# Compiled here, the program starts in half the time, also where Python may write nothing while it runs.
setup: .setup-stamp $(STATIC_STAMP)
	@$(BIN)/python -m compileall -q -j $(JOBS) src

.setup-stamp: requirements.lock package-lock.json pyproject.toml scripts/assets.py
	$(PYTHON) scripts/require_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python scripts/assets.py
	$(BIN)/python -m openward.chart.diagnoses
	touch $@

# Copied, hashed and compressed here, the static files need not be at the first start.
$(STATIC_STAMP): .setup-stamp $(STATIC_FILES)
	$(BIN)/python -m openward.server.static

setup-test: setup .setup-stamp-test

.setup-stamp-test: .setup-stamp requirements-test.lock tests/clients.lock tests/package-lock.json scripts/test_packages.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	test -x $(CLIENTS)/bin/python || $(PYTHON) -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/clients.lock
	$(BIN)/python scripts/test_packages.py
	$(BIN)/python scripts/require_chromium.py
	touch $@

run: setup
	$(BIN)/openward demo --patients $(PATIENTS) --seed $(SEED) --data $(DATA)
	$(BIN)/openward serve --port $(PORT) --data $(DATA)

lint: setup-test
	$(BIN)/ruff check src tests scripts
	$(BIN)/ruff format --check src tests scripts
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src

test: lint
	$(BIN)/pytest -n $(JOBS) --dist loadfile

bench: setup-test
	$(BIN)/python -m tests.bench $(ARGS)

lock: setup-test
	$(BIN)/python scripts/lock.py

clean:
	rm -rf $(VENV) $(CLIENTS) node_modules tests/node_modules src/openward/web/static/vendor src/openward/chart/content/*.words src/openward/server/collected .setup-stamp .setup-stamp-test
