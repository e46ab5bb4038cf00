"""Refusals of a real server: llama.cpp's own, with tiny random weights and strict templates."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import xllamacpp

from LLM.openai_chat import OpenAIChatModel
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, ToolCall
from pipeline.settings import Tool
from tests.LLM.asking import HELLO, SYSTEM, ask, codes
from tests.LLM.tiny_gguf import tiny_gguf

ALTERNATES = """
{%- for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}
{{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
{%- endif %}[{{ m.role }}]{{ m.content }}{% endfor %}"""
MISTRAL = (
    "{%- if messages[0].role == 'system' %}[S]{{ messages[0].content }}{% set messages = messages[1:] %}"
    "{% endif %}" + ALTERNATES
)
GEMMA = (
    "{%- if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + ALTERNATES
)
QWEN = """
{%- for m in messages %}{% if m.role == 'system' and not loop.first %}
{{- raise_exception('System message must be at the beginning.') }}
{%- endif %}[{{ m.role }}]{{ m.content }}{% endfor %}
{%- if messages[-1].role not in ('user', 'tool') %}
{{- raise_exception('Expected last role User or Tool') }}{% endif %}
{%- if messages | selectattr('role', 'equalto', 'user') | list | length == 0 %}
{{- raise_exception('No user query found in messages.') }}{% endif %}"""

GREETING, NEWS = ChatMessage("assistant", "Welcome."), ChatMessage("system", "The user is in Paris.")
CALL = ChatMessage("assistant", "", (ToolCall("call_1", "read_page", ""),))
PAGE = ChatMessage("tool", "word " * 4000, answers="call_1")
READ_PAGE = Tool("read_page", "Reads a page.", {"type": "object", "properties": {}})
CONVERSATIONS = {
    "a greeting": (SYSTEM,),
    "a greeting, then the user": (SYSTEM, GREETING, HELLO),
    "nothing new": (SYSTEM, HELLO, GREETING),
    "a system message late": (SYSTEM, HELLO, GREETING, NEWS, HELLO),
    "a result": (SYSTEM, HELLO, CALL, ChatMessage("tool", "rain", answers="call_1")),
    "a long result": (SYSTEM, HELLO, CALL, PAGE),
    "words after a long result": (SYSTEM, HELLO, CALL, PAGE, HELLO),
    "a long conversation": (SYSTEM, *[HELLO, GREETING] * 200, HELLO),
}


@contextmanager
def llama_cpp(file: Path, template: str) -> Iterator[str]:
    """The address of a server."""
    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.n_parallel = str(file), 1024, 1
    params.chat_template, params.use_jinja = template, True
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.port, params.verbosity, params.n_gpu_layers = 0, -1, 0
    params.warmup = params.fit_params = False
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


@pytest.mark.parametrize("template", [MISTRAL, GEMMA, QWEN], ids=["mistral", "gemma", "qwen"])
def test_every_conversation_is_answered(file: Path, template: str) -> None:
    with llama_cpp(file, template) as url:
        model = OpenAIChatModel("m", url, retries=0, gen_kwargs={"max_tokens": 4})
        told = {}
        for name, messages in CONVERSATIONS.items():
            words, notices = ask(model, messages, [READ_PAGE] if CALL in messages else [])
            assert words, name
            told[name] = codes(notices)
        assert ["conversation_adapted"] in told.values(), "the template is strict"
        assert told["a long conversation"] == ["conversation_shortened"]
        assert told["a long result"] == ([] if "alternate" in template else ["result_shortened"])
        with pytest.raises(EngineError, match="exceeds the available context size"):
            ask(model, (SYSTEM, ChatMessage("user", "word " * 4000)))
        assert ask(model, (SYSTEM, HELLO))[1] == []
        model.close()
