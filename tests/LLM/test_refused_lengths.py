"""Errors of servers about a conversation's length ▶ the next request ▶ the notice for the client."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from LLM.openai_chat import OpenAIChatModel
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, ToolCall
from testing.speech_server import SpeechServer
from tests.LLM.asking import HELLO, MODELS, SYSTEM, ask, codes, texts

TALK = [
    ChatMessage(role, f"{role} {number:03} and some words")
    for number in range(100)
    for role in ("user", "assistant")
]
LAST = ChatMessage("user", "The last words.")
CALL = ChatMessage("assistant", "", (ToolCall("call_1", "read_page", "{}"),))
PAGE = ChatMessage("tool", "word " * 12_000, answers="call_1")

LIMIT_TOKENS = 2000
"""Limit of the model; a token has four bytes here."""

TOO_LONG: Mapping[str, tuple[int, Any]] = {
    "OpenAI": (400, {"error": {"code": "context_length_exceeded", "param": "messages", "message":
        "This model's maximum context length is 2000 tokens. However, your messages resulted in {used} "
        "tokens. Please reduce the length of the messages."}}),
    "OpenAI, responses": (400, {"error": {"code": "context_length_exceeded", "param": "input", "message":
        "Your input exceeds the context window of this model. Please adjust your input and try "
        "again."}}),
    "vLLM": (400, {"object": "error", "code": 400, "type": "BadRequestError", "message":
        "This model's maximum context length is 2000 tokens. However, you requested {used} tokens "
        "({used} in "
        "the messages, 0 in the completion). Please reduce the length of the messages or completion."}),
    "vLLM, V1": (400, {"error": {"code": 400, "message":
        "The decoder prompt (length {used}) is longer than the maximum model length of 2000. Make "
        "sure that "
        "`max_model_len` is no smaller than the number of text tokens."}}),
    "llama.cpp": (400, {"error": {"type": "exceed_context_size_error", "n_ctx": 2000, "message":
        "request ({used} tokens) exceeds the available context size (2000 tokens), try increasing it"}}),
    "llama.cpp, 2025": (500, {"error": {"code": 500, "type": "exceed_context_size_error", "message":
        "the request exceeds the available context size. try increasing the context size"}}),
    "llama-cpp-python": (400, {"error": {"message":
        "This model's maximum context length is 2000 tokens, however you requested {used} tokens"}}),
    "LM Studio": (400, {"error":
        "Trying to keep the first {used} tokens when context the overflows. However, the model is "
        "loaded "
        "with context length of only 2000 tokens, which is not enough."}),
    "Ollama": (400, {"error": {"message": "the input length exceeds the context length"}}),
    "Claude": (400, {"error": {"message": "prompt is too long: {used} tokens > 2000 maximum"}}),
    "Gemini": (400, [{"error": {"code": 400, "message":
        "The input token count ({used}) exceeds the maximum number of tokens allowed (2000)."}}]),
    "Mistral": (400, {"message": {"detail": "Prompt contains {used} tokens and 0 draft tokens, too "
    "large for "
        "model with 2000 maximum context length"}}),
    "SGLang": (400, {"message":
        "The input ({used} tokens) is longer than the model's context length (2000 tokens)."}),
    "TGI": (422, {"error":
        "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2000. Given: {used} "
        "`inputs` "
        "tokens and 20 `max_new_tokens`"}),
    "Groq": (413, {"error": {"code": "rate_limit_exceeded", "message":
        "Request too large for model `m` on tokens per minute (TPM): Limit 2000, Requested {used}"}}),
    "OpenAI, small account": (429, {"error": {"code": "rate_limit_exceeded", "message":
        "Request too large for m on tokens per min (TPM): Limit 2000, Requested {used}. The input or "
        "output "
        "tokens must be reduced in order to run successfully."}}),
    "OpenAI, characters": (400, {"error": {"code": "string_above_max_length", "message":
        "Invalid 'messages[3].content': string too long. Expected a string with maximum length 8000"}}),
    "nginx": (413, "<html><h1>413 Request Entity Too Large</h1></html>"),
    "a wrong count": (400, {"error": {"message":
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 100 "
        "tokens."}}),
}  # fmt: skip
"""Errors of servers."""

NO_LIMIT = (
    "OpenAI, responses",
    "llama.cpp, 2025",
    "Ollama",
    "OpenAI, characters",
    "nginx",
    "a wrong count",
)
"""Those that do not say how many tokens they take."""


def short_of(limit_tokens: int, said: tuple[int, Any]) -> Callable[[dict[str, Any]], Any]:
    """A server whose tokens have four bytes, but a "#" is a token."""
    status, body = said

    def refuses(request: dict[str, Any]) -> tuple[int, Any] | None:
        text = json.dumps(request)
        used = len(text) // 4 + text.count("#")
        if used <= limit_tokens:
            return None
        if isinstance(body, str):
            return status, body
        return status, json.loads(json.dumps(body).replace("{used}", str(used)))

    return refuses


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", TOO_LONG)
def test_the_oldest_messages_are_left_out(
    server: SpeechServer, kind: type[OpenAIChatModel], name: str
) -> None:
    server.refuses = short_of(LIMIT_TOKENS, TOO_LONG[name])
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    text, notices = ask(model, (SYSTEM, *TALK, LAST))
    assert (text, codes(notices)) == (server.reply, ["conversation_shortened"])
    first, *middle, last = texts(server.requests[-1])
    assert (first, last) == ("Be brief.", "The last words.")
    assert middle == [message.content for message in TALK][-len(middle) :], "the newest are kept"
    assert len(json.dumps(server.requests[-1])) > LIMIT_TOKENS, "and more than a quarter of what fits"
    before = len(server.requests)
    assert before <= 4
    assert codes(ask(model, (SYSTEM, *TALK, HELLO, TALK[1], LAST))[1]) == ["conversation_shortened"]
    again = len(server.requests) - before - 1
    assert 0 < again < 4 if name in NO_LIMIT else again == 0, "a limit that is stated is kept"
    assert ask(model, (SYSTEM, *TALK[:4], LAST))[1] == [], "a short conversation is sent whole"
    assert texts(server.requests[-1])[1:-1] == [message.content for message in TALK[:4]]
    model.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", TOO_LONG)
def test_a_result_that_is_too_long_is_cut(
    server: SpeechServer, kind: type[OpenAIChatModel], name: str
) -> None:
    server.refuses = short_of(LIMIT_TOKENS, TOO_LONG[name])
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    with_result = (SYSTEM, *TALK[:6], LAST, CALL, PAGE)
    text, notices = ask(model, with_result)
    assert (text, codes(notices)[0]) == (server.reply, "result_shortened")
    result = texts(server.requests[-1])[-1]
    assert result.startswith("word word")
    assert "bytes are left out here: they are too long for this model" in result
    before = len(server.requests)
    text, _ = ask(model, (*with_result, ChatMessage("assistant", "I have read it."), HELLO))
    assert text == server.reply
    assert name in NO_LIMIT or len(server.requests) == before + 1
    assert "I have read it." in texts(server.requests[-1])
    model.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("name", TOO_LONG)
def test_dense_content_in_one_session_shortens_no_other(
    server: SpeechServer, kind: type[OpenAIChatModel], name: str
) -> None:
    server.refuses = short_of(LIMIT_TOKENS, TOO_LONG[name])
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    dense = [ChatMessage(message.role, message.content + "#" * 100) for message in TALK]
    assert codes(ask(model, (SYSTEM, *dense, LAST))[1]) == ["conversation_shortened"]
    assert ask(model, (SYSTEM, *TALK[:40], LAST)) == (server.reply, [])
    assert texts(server.requests[-1])[1:-1] == [message.content for message in TALK[:40]]
    model.close()


def test_last_words_that_are_too_long_are_told_and_the_conversation_goes_on(
    server: SpeechServer,
) -> None:
    server.refuses = short_of(LIMIT_TOKENS, TOO_LONG["vLLM"])
    model = OpenAIChatModel("m", server.base_url, retries=0)
    speech = ChatMessage("user", "word " * 12_000)
    with pytest.raises(EngineError, match="maximum context length is 2000 tokens"):
        ask(model, (SYSTEM, *TALK[:2], speech))
    text, notices = ask(model, (SYSTEM, *TALK[:2], speech, TALK[1], LAST))
    assert (text, codes(notices)) == (server.reply, ["conversation_shortened"])
    model.close()


def test_system_messages_in_what_is_left_out_are_kept(server: SpeechServer) -> None:
    server.refuses = short_of(LIMIT_TOKENS, TOO_LONG["vLLM"])
    model = OpenAIChatModel("m", server.base_url, retries=0)
    news = ChatMessage("system", "The user is in Paris.")
    ask(model, (SYSTEM, *TALK[:4], news, *TALK[4:], LAST))
    assert texts(server.requests[-1])[0] == "Be brief.\n\nThe user is in Paris."
    model.close()


def test_an_answer_as_long_as_the_context_loses_its_limit(server: SpeechServer) -> None:
    said = (
        "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context "
        "length "
        "is 4096 tokens and your request has 100 input tokens (4096 > 4096 - 100)."
    )
    server.refuses = lambda request: (400, {"message": said}) if "max_tokens" in request else None
    model = OpenAIChatModel("m", server.base_url, retries=0, gen_kwargs={"max_tokens": 4096})
    assert codes(ask(model, (SYSTEM, *TALK, LAST))[1]) == ["parameter_left_out"]
    assert len(texts(server.requests[-1])) == len(TALK) + 2, "the conversation is not to blame"
    model.close()
