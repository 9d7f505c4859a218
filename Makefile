# What there is to do here; `make` alone lists it. Needs git, make and Python 3.11, 3.12 or 3.13: the rest it fetches.

VENV = .venv
RUN = .venv-run
WORKER = .venv-worker
OLDEST = .venv-oldest
BENCH = .venv-bench
INFRA = .venv-infra

# Answers the version and exits 0 if this is a Python the archive runs on. A name may be found and still not run
# (pyenv leaves one for every version it ever installed), so each is asked.
ASK = import platform, sys; print(platform.python_version()); sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)))

ifndef PYTHON
PYTHON := $(shell for name in python3.11 python3.12 python3.13 python3; do \
	if "$$name" -c '$(ASK)' >/dev/null 2>&1; then echo "$$name"; break; fi; done)
endif
VERSION := $(if $(PYTHON),$(shell version=$$("$(PYTHON)" -c '$(ASK)' 2>/dev/null) && echo "$$version"))

# Three tests at a time on two cores, because many of them wait. AT_ONCE= for one, whose output is easier to read.
AT_ONCE = --numprocesses 3 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run run-azure ops test conformance fuzz check format bench bench-cosmos bench-on-cosmos \
	bench-worker bench-start bench-growth bench-memory bench-events soak docs indexed snapshots check-infra \
	lock clean $(VENV) $(RUN) $(WORKER) $(OLDEST) $(BENCH) $(INFRA)

help: ## List what there is to do.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: $(RUN) ## Run the whole archive here, on SQLite (PORT=7071 DATA=.local).
	@$(RUN)/bin/python -m local

run-azure: $(RUN) ## Run it on Cosmos DB and Service Bus: doubles, or those in COSMOS and SERVICEBUS (PORT=7071 DATA=.local).
	@$(RUN)/bin/python -m local --azure

ops: $(RUN) ## Operate the archive: institutions, callers, events, histories, lists (ARGS="institutions list" DATA=.local).
	@$(RUN)/bin/python -m ops $(ARGS)

test: $(VENV) $(WORKER) ## Run the tests (TESTS="tests/domain -k iban" for some of them).
	@WORKER_PYTHON=$(WORKER)/bin/python $(VENV)/bin/python -m pytest $(AT_ONCE) $(TESTS)

conformance: $(OLDEST) ## Ask Azure what the archive relies on, with the oldest SDK and those for JavaScript.
	@$(OLDEST)/bin/python -m pytest $(AT_ONCE) tests/conformance tests/contracts/test_cosmos.py tests/contracts/test_cosmos_debtors.py
	@$(OLDEST)/bin/python -m tests.conformance.javascript

check: $(VENV) ## Lint, formatting, types, directions of imports, generated documents, workflows.
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-logo
	@$(VENV)/bin/python docs/generate.py --check
	@$(VENV)/bin/zizmor --quiet --offline --strict-collection .github

format: $(VENV) ## Format the code and apply the fixes of the linter.
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

fuzz: $(VENV) ## Send the archive what its contract allows and forbids, for long (EXAMPLES=1000 SEED=1).
	@$(VENV)/bin/python -m tests.functions.fuzz $(or $(EXAMPLES),1000) $(SEED)

bench: $(BENCH) ## Measure the archive beside its alternatives (needs wrk; ARGS="--quick").
	@$(BENCH)/bin/python -m bench $(ARGS)

bench-on-cosmos: $(BENCH) ## The same on Cosmos DB: an instant gateway (needs wrk; ARGS="--quick").
	@$(BENCH)/bin/python -m bench.on_cosmos $(ARGS)

bench-worker: $(BENCH) ## The same inside Microsoft's worker (ARGS="--quick").
	@$(BENCH)/bin/python -m bench.worker $(ARGS)

bench-start: $(BENCH) ## Measure cold starts (ARGS="--quick"; ARGS="--imports" for what takes the time).
	@$(BENCH)/bin/python -m bench.start $(ARGS)

bench-growth: $(BENCH) ## Measure the archive with 10,000 to a million notices (needs wrk; ARGS="--quick").
	@$(BENCH)/bin/python -m bench.growth $(ARGS)

bench-memory: $(BENCH) ## Measure the memory of the archive after a million requests (needs wrk; ARGS="--quick").
	@$(BENCH)/bin/python -m bench.memory $(ARGS)

soak: $(VENV) ## Kill the archive under load, and count what is lost (ROUNDS=20 SECONDS=5 CHANGES=10000 NOTICES=100000).
	@$(VENV)/bin/python -m bench.soak --rounds $(or $(ROUNDS),20) --seconds $(or $(SECONDS),5)
	@$(VENV)/bin/python -m bench.event_soak --rounds $(or $(ROUNDS),20) --changes $(or $(CHANGES),10000)
	@$(VENV)/bin/python -m bench.event_soak --rounds $(or $(ROUNDS),20) --changes $(or $(CHANGES),10000) --azure
	@$(VENV)/bin/python -m bench.due_soak --kills $(or $(ROUNDS),20) --notices $(or $(NOTICES),100000)

bench-events: $(VENV) ## Measure how fast events go out and in through Service Bus, on doubles (ARGS="--quick").
	@$(VENV)/bin/python -m bench.events $(ARGS)

bench-cosmos: $(VENV) ## Compare the client of Cosmos DB with the unmodified SDK, on the double.
	@$(VENV)/bin/python -m bench.cosmos

docs: $(VENV) ## Write the generated documents.
	@$(VENV)/bin/python docs/generate.py

indexed: $(WORKER) ## Write what Microsoft's worker indexes here (tests/functions/indexed.json).
	@ARCHIVE_STORE=sqlite:unused $(WORKER)/bin/python -I tests/functions/worker_check.py . >$(WORKER)/indexed.json
	@mv $(WORKER)/indexed.json tests/functions/indexed.json

snapshots: $(VENV) ## Write the predicted resources of each environment (BICEP=/path/to/bicep).
	@$(VENV)/bin/python -m infra.checks --write

check-infra: $(VENV) $(INFRA) ## Compile infra/, compare it with its snapshots and policies, scan it (BICEP=/path/to/bicep).
	@$(VENV)/bin/python -m infra.checks
	@$(VENV)/bin/python -m pytest --quiet tests/infra
	@$(VENV)/bin/python -m infra.checks.scan $(INFRA)/bin/checkov

# Constraint files keep what is tested at the versions that are deployed.
UV_COMPILE = UV_CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/bin/uv pip compile --quiet --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url $(if $(UPGRADE),--upgrade)

# The worker library runs on Python 3.11 and 3.12 as well, where it is not published for.
define for_any_python
sed "s/^\(azure-functions-runtime[^ ]*\) ; python_full_version >= '3.13'/\1/" $(1) >$(VENV)/lock.txt && \
	mv $(VENV)/lock.txt $(1)
endef

lock: $(VENV) ## Lock the dependencies after a change in a *.in file (UPGRADE=1: the newest that fit).
	@$(UV_COMPILE) requirements.in --output-file requirements.txt
	@$(UV_COMPILE) requirements-run.in --output-file requirements-run.txt
	@$(UV_COMPILE) requirements-dev.in --output-file requirements-dev.txt
	@$(UV_COMPILE) tests/functions/worker.in --output-file tests/functions/worker.txt
	@$(UV_COMPILE) --no-deps tests/conformance/oldest.in --output-file tests/conformance/oldest.txt
	@$(UV_COMPILE) tests/conformance/javascript/node.in --output-file tests/conformance/javascript/node.txt
	@$(call for_any_python,tests/functions/worker.txt)
	@$(UV_COMPILE) infra/checks/checkov.in --output-file infra/checks/checkov.txt
	@$(UV_COMPILE) bench/bench.in --output-file bench/bench.txt
	@$(call for_any_python,bench/bench.txt)

clean: ## Remove what was made here: virtual environments and caches, not the data of `make run`.
	@rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis \
		tests/conformance/javascript/node_modules
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A virtual environment is made again when its lock changes, or the Python it is made with.
$(VENV): $(VENV)/made-with-$(VERSION)
$(RUN): $(RUN)/made-with-$(VERSION)
$(WORKER): $(WORKER)/made-with-$(VERSION)
$(OLDEST): $(OLDEST)/made-with-$(VERSION)
$(BENCH): $(BENCH)/made-with-$(VERSION)
$(INFRA): $(INFRA)/made-with-$(VERSION)

$(VENV)/made-with-$(VERSION): requirements-dev.txt
	@$(call make_venv,$(VENV),requirements-dev.txt,a minute or two)

# Only what runs, so that a first `make run` does not wait for the tools of the tests.
# Python compiles what is used when it is first used: that is little, and to compile all of it takes seconds.
$(RUN)/made-with-$(VERSION): requirements-run.txt
	@$(call make_venv,$(RUN),requirements-run.txt,half a minute,--no-compile)

# Microsoft publishes the worker library for Python 3.13 on; it runs on 3.11 and 3.12 as well.
$(WORKER)/made-with-$(VERSION): tests/functions/worker.txt
	@$(call make_venv,$(WORKER),tests/functions/worker.txt,half a minute,--ignore-requires-python)

# The same as ours, but for the SDKs that are named as the oldest, and with Node.js for those of JavaScript.
$(OLDEST)/made-with-$(VERSION): requirements-dev.txt tests/conformance/oldest.txt tests/conformance/javascript/node.txt
	@$(call make_venv,$(OLDEST),requirements-dev.txt,a minute or two)
	@$(call pip,$(OLDEST)) install $(QUIETLY) --requirement tests/conformance/oldest.txt \
		--requirement tests/conformance/javascript/node.txt || { rm $@; exit 1; }

# The alternatives that the bench compares with, the worker library among them.
$(BENCH)/made-with-$(VERSION): bench/bench.txt
	@$(call make_venv,$(BENCH),bench/bench.txt,half a minute,--ignore-requires-python)

# checkov needs versions of packages that differ from those that run.
$(INFRA)/made-with-$(VERSION): infra/checks/checkov.txt
	@$(call make_venv,$(INFRA),infra/checks/checkov.txt,a minute or two)

# A pip from 22.3 on installs into another environment, which then needs none: to make one takes a fifth of the time.
HAS_PIP = $(shell '$(PYTHON)' -c 'import pip, sys; \
	sys.exit(tuple(map(int, pip.__version__.split(".")[:2])) < (22, 3))' 2>/dev/null && echo yes)
pip = $(if $(HAS_PIP),'$(PYTHON)' -m pip --python $(1)/bin/python,$(1)/bin/python -m pip)

# A lock names every package, so nothing is left to resolve. Python compiles what it imports when it is first imported.
QUIETLY = --quiet --quiet --disable-pip-version-check --require-hashes --no-deps --no-compile

define make_venv
if [ -z '$(VERSION)' ]; then \
	echo "No Python 3.11, 3.12 or 3.13 that runs$(if $(PYTHON), under the name '$(PYTHON)'): install one" \
		'or name it: make PYTHON=/path/to/python ...' >&2; exit 1; fi; \
echo 'Preparing $(1) with Python $(VERSION). This happens once and takes $(3).' >&2; \
echo '1/2 Making the environment ...' >&2 && rm -rf $(1) && '$(PYTHON)' -m venv $(if $(HAS_PIP),--without-pip) $(1) && \
echo '2/2 Installing the packages of $(2) ...' >&2 && \
$(call pip,$(1)) install $(QUIETLY) $(4) --requirement $(2) && touch $@
endef
