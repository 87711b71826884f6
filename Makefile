# Two doors: `make demo` shows what this does, `make check` is what CI runs. Each sets up what it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin
TEST_JOBS ?= 2
# Tests on the cluster mostly wait
CLUSTER_TEST_JOBS ?= 3

.PHONY: demo check setup format lint types layers test test-cluster test-faults lock goldens docs clean
.DEFAULT_GOAL := help
help:
	@echo "make demo    set up (about 60 packages), then search on real data for a few minutes; the result is in ./demo"
	@echo "make check   set up (about 220 packages), then format, lint, types, layers, tests: all that CI checks"
	@echo "make format  fix format and lint where that is safe"
	@echo "make lock    pin the newest versions of all dependencies in requirements.lock"
	@echo "make goldens write the golden files of the tests anew; read the difference before you commit it"
	@echo "make docs    write docs/commands.md and docs/api.md from the program itself"
	@echo "make clean   remove .venv and ./demo"

demo: .venv/demo
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
	@touch $@ .venv/demo

# Of torch's dependencies the demo leaves out what a training on the CPU does not load. The rest of CUDA must be there:
# torch's libraries are linked to it, and PyPI has no torch for Linux without it.
NOT_ON_CPU := cuda-bindings nvidia-cusolver triton
.venv/demo: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("argo-automl needs Python 3.11 or newer: make PYTHON=python3.12 ..." if sys.version_info < (3, 11) else 0)'
	@echo "This installs about 60 packages into .venv: about 4 GB on Linux, most of it PyTorch with CUDA, and 1 GB on macOS."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --quiet "$$(grep '^uv==' requirements.lock)"
	@printf "%s ; sys_platform == 'never'\n" $(NOT_ON_CPU) > .venv/not-on-cpu.txt
	$(BIN)/uv pip install --python $(BIN)/python --constraints requirements.lock hatchling editables
	$(BIN)/uv pip install --python $(BIN)/python --constraints requirements.lock --overrides .venv/not-on-cpu.txt \
		--compile-bytecode --no-build-isolation -e '.[torch]'
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
