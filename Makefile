# Two doors: `make demo` shows what this does, `make check` is what CI runs. Both set up all that they need.
PYTHON ?= python3
BIN := .venv/bin
TEST_JOBS ?= 2
# Tests on the cluster mostly wait
CLUSTER_TEST_JOBS ?= 3

.PHONY: demo check setup format lint types layers test test-cluster test-faults lock goldens docs clean
.DEFAULT_GOAL := help
help:
	@echo "make demo    set up, then search on real data (a few minutes); the result is in ./demo"
	@echo "make check   set up, then format, lint, types, layers, tests: all that CI checks"
	@echo "make format  fix format and lint where that is safe"
	@echo "make lock    pin the newest versions of all dependencies in requirements.lock"
	@echo "make goldens write the golden files of the tests anew; read the difference before you commit it"
	@echo "make docs    write docs/commands.md and docs/api.md from the program itself"
	@echo "make clean   remove .venv and ./demo"

demo: setup
	@mkdir -p demo
	@test -f demo/study.yaml || $(BIN)/automl init demo/study.yaml
	$(BIN)/automl plan demo/study.yaml
	$(BIN)/automl run demo/study.yaml

check: format-check lint types layers test

setup: .venv/installed
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("argo-automl needs Python 3.11 or newer: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^uv==' requirements.lock)"
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

format-check: setup
	$(BIN)/ruff format --check .
lint: setup
	$(BIN)/ruff check .
types: setup
	$(BIN)/mypy
layers: setup
	$(BIN)/lint-imports
test: setup
	$(BIN)/pytest -n $(TEST_JOBS)
# Those that need a cluster: AUTOML_TEST_S3=s3://bucket/prefix, boto3's own AWS_... variables, KUBECONFIG, and in
# AUTOML_TEST_IMAGES the command that builds an image and gives it to the cluster (see tests/cluster)
# In the order of their names: by the number of tests the default study, the longest, would begin last
test-cluster: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -n $(CLUSTER_TEST_JOBS) --dist loadfile --no-loadscope-reorder \
		tests/cluster tests/stores -k "real_s3 or cluster" \
		--ignore tests/cluster/test_faults.py --ignore tests/cluster/test_outages.py --durations 0 --durations-min 20
# Whatever can die dies; at the end the S3 server and the controller, so it runs alone. AUTOML_TEST_CLUSTER starts what
# died, and AUTOML_TEST_CLUSTER_HOME holds its pids; the rest as above.
test-faults: setup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest tests/cluster/test_faults.py tests/cluster/test_outages.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
lock: setup
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-emit-index-url --no-header --no-annotate \
		--extra torch --extra trainers --extra cluster --extra export --extra plots \
		--extra mlflow --extra wandb --extra dev --python-version 3.11 pyproject.toml -o requirements.lock
goldens: setup
	AUTOML_GOLDENS=write $(BIN)/pytest -n $(TEST_JOBS)
docs: setup
	$(BIN)/python scripts/make_reference.py
clean:
	rm -rf .venv demo
