# make talk          set up, and talk
# make check         set up, and run what CI runs: style, types, tests
# make test-engines  the engines that come by extra, over tiny models: 4 GB, half an hour

PYTHON ?= python3
BIN := .venv/bin
OUT := out

.PHONY: talk check test-engines agents setup clean

talk: setup
	@$(BIN)/python s2s_pipeline.py --mode local || { code=$$?; \
	  case $$code in \
	    130) ;; \
	    3) echo "Answering a spoken sample instead:"; $(MAKE) --no-print-directory sample ;; \
	    *) exit $$code ;; \
	  esac; }

.PHONY: sample
sample: setup
	@mkdir -p $(OUT)
	@$(BIN)/python examples/speak.py "What is the weather like in London today?" $(OUT)/question.wav
	@$(BIN)/python s2s_pipeline.py --mode file --realtime --input $(OUT)/question.wav --output $(OUT)/reply.wav

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/pytest

# those with an environment of their own one after the other, since each takes a gigabyte or more
ISOLATED := parler qwen coqui melo
test-engines: .venv/ready-engines
	$(BIN)/pytest tests/engines
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

# what `make check` skips without torch: all tests that mention it, and the one that needs Node
.PHONY: test-torch
test-torch: .venv/ready-dev
	$(BIN)/pytest $$(grep -lw torch tests/test_*.py) tests/test_realtime_agents.py

.PHONY: check-extras
check-extras: .venv/ready-dev
	$(BIN)/python -m tests.extras

.venv/ready-engines: .venv/ready-dev
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[engines]"
	@touch $@

# for one test: OpenAI's kit for agents, in Node
agents:
	npm install --silent --no-package-lock --no-audit --no-fund --prefix tests/agents

setup: .venv/ready

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; \
	    rm -rf .venv; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@# silero-vad asks for torch, which its ONNX file, all that we use of it, does not need
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps "silero-vad>=6.2,<7"
	@# 8 MB that hear whether you have finished; without them the pause alone decides
	@$(BIN)/python -m utils.smart_turn_file || true
	@touch $@

.venv/ready-dev: .venv/ready pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@

clean:
	rm -rf .venv $(OUT)
