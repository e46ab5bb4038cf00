"""Errors of servers with the OpenAI protocols: what is read, and what is told, in all their forms."""

import json
from typing import Any

import httpx2
import openai
import pytest

from utils.openai_client import OpenAIServer
from utils.openai_errors import MAX_TOLD, Refusal

SAID = "My name is Gertrude Miller, my code is 4711, and I live in Tallinn."
REQUEST = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": SAID}], "max_tokens": 50}


def refusal(
    body: object, status: int = 400, request: dict[str, Any] = REQUEST, key: str = "sk-secret"
) -> Refusal:
    """The refusal that is read from an answer with this body, through the SDK itself."""
    text = body if isinstance(body, str) else json.dumps(body)
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, text=text))
    client = openai.OpenAI(
        api_key=key,
        max_retries=0,
        base_url="http://server/v1",
        http_client=httpx2.Client(transport=transport),
    )
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**request)
    return Refusal.of(caught.value)


OPENAI = {
    "message": "Too long.",
    "type": "invalid_request_error",
    "param": "messages",
    "code": "too_long",
}
FORMS: dict[str, tuple[object, str]] = {
    "OpenAI": ({"error": OPENAI}, "too_long (messages): Too long"),
    "OpenAI, no code": (
        {"error": {**OPENAI, "code": None, "param": None}},
        "invalid_request_error: Too long",
    ),
    "vLLM": (
        {"object": "error", "message": "Too long.", "type": "BadRequestError", "code": 400},
        "BadRequestError: Too long",
    ),
    "vLLM since 0.10": (
        {"error": {"message": "Too long.", "type": "BadRequestError", "param": None, "code": 400}},
        "BadRequestError: Too long",
    ),
    "llama.cpp": (
        {"error": {"code": 500, "message": "Too long.", "type": "exceed_context_size_error"}},
        "exceed_context_size_error: Too long",
    ),
    "Ollama": ({"error": "does not support tools"}, "does not support tools"),
    "FastAPI, a text": ({"detail": "Too long."}, "Too long"),
    "FastAPI, a list": (
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "messages", 0, "max_tokens"],
                    "msg": "Extra inputs are not permitted",
                    "input": SAID,
                }
            ]
        },
        "extra_forbidden (messages[0].max_tokens): Extra inputs are not permitted",
    ),
    "Mistral": (
        {
            "object": "error",
            "message": {"detail": [{"loc": ["body", "store"], "msg": "Extra", "input": SAID}]},
            "type": "invalid_request_error",
        },
        "invalid_request_error (store): Extra",
    ),
    "Cerebras": (
        {"message": "Too long.", "type": "invalid_request_error", "param": "x", "code": "wrong"},
        "wrong (x): Too long",
    ),
    "Gemini": ([{"error": {"code": 400, "message": "Too long.", "status": "INVALID"}}], "Too long"),
    "Cloudflare": ({"success": False, "errors": [{"code": 5006, "message": "Too long."}]}, "Too long"),
    "OpenRouter": (
        {
            "error": {
                "code": 400,
                "message": "Provider returned error",
                "metadata": {"raw": json.dumps({"error": OPENAI})},
            }
        },
        "too_long (messages): Provider returned error; Too long",
    ),
    "JSON in a message": ({"error": {"message": json.dumps({"error": OPENAI})}}, "too_long "
    "(messages): Too long"),
    "plain text": ("Too long.", "Too long"),
    "a line break": ("Too\n\n long.", "Too long"),
    "HTML": ("<!DOCTYPE html><html><body>nginx/1.2.3</body></html>", "an HTML page"),
    "HTML in a message": ({"error": {"message": "<html>nginx"}}, "an HTML page"),
    "no JSON": ("{broken", "{broken"),
    "nothing": ("", ""),
    "null": ("null", ""),
    "a number": ("7", ""),
    "an empty object": ({}, ""),
    "an empty list": ([], ""),
    "an empty error": ({"error": {}}, ""),
    "values of other types": ({"error": {"message": 7, "code": [], "param": {}, "type": 1}}, ""),
    "endless errors": (json.loads('{"error":' * 50 + "{}" + "}" * 50), ""),
}  # fmt: skip


@pytest.mark.parametrize(("body", "reason"), FORMS.values(), ids=FORMS)
def test_every_form_of_an_error_is_read(body: object, reason: str) -> None:
    assert refusal(body).reason == reason


def test_the_numbers_of_llama_cpp_are_read() -> None:
    error = {"code": 400, "message": "Too long.", "n_prompt_tokens": 1407, "n_ctx": 256}
    numbers = refusal({"error": error}).numbers
    assert numbers is not None
    assert (numbers["n_prompt_tokens"], numbers["n_ctx"]) == (1407, 256)


QUOTES = {
    "whole": f"Invalid message: '{SAID}' must be shorter",
    "escaped": f"Invalid message: {json.dumps(json.dumps(SAID))}",
    "cut off": "Invalid message: 'My name is Gertr...'",
    "cut off at its beginning": "Invalid message: '…rude Miller'",
    "one word": "Unexpected value: Tallinn",
    "a number": "Unexpected value: 4711",
    "in capitals": "Unexpected value: GERTRUDE",
    "with words between": "Gertrude is not permitted, and Miller is not, nor is Tallinn with 4711",
}


@pytest.mark.parametrize("quote", QUOTES.values(), ids=QUOTES)
@pytest.mark.parametrize("field", ["message", "code", "param"])
def test_what_was_said_is_left_out(quote: str, field: str) -> None:
    reason = refusal({"error": {field: quote}}).reason.casefold()
    for word in ("gertr", "rude", "miller", "4711", "tallinn"):
        assert word not in reason
    assert "…" in reason
    assert any(word in reason for word in ("invalid", "unexpected", "permitted"))


def test_words_in_scripts_without_spaces_are_left_out() -> None:
    request = {**REQUEST, "messages": [{"role": "user", "content": "我叫王小明住在北京"}]}
    for quote in ("无效的消息王小明", json.dumps("无效的消息王小明")):
        told = refusal({"error": {"message": f"invalid: {quote}"}}, request=request).reason
        assert told.replace('"', "") == "invalid: …"


@pytest.mark.parametrize("field", ["messages", "input", "instructions"])
def test_the_reason_itself_is_kept_even_if_its_words_were_said(field: str) -> None:
    message = (
        "This model's maximum context length is 8192 tokens; please reduce the length of the messages."
    )
    said = (
        "Please reduce the length of the messages: the maximum context length of this model in tokens!"
    )
    request = {**REQUEST, "extra_body": {field: said}}
    assert refusal({"error": {"message": message}}, request=request).message == message


@pytest.mark.parametrize("status", [401, 403])
def test_the_key_is_left_out(status: int) -> None:
    body = {"error": {"message": "Incorrect API key provided: sk-secret.", "code": "invalid_api_key"}}
    assert refusal(body, status).reason == "invalid_api_key"


IDENTIFIER, KEY = "AbCdEfGhIjKlMnOpQrStUv01", "sk-proj-Xy12_secret-wxyz"
OPERATORS = {
    "an organization": f"Rate limit reached for m in organization org-{IDENTIFIER} on tokens per min",
    "a request": f"Internal error, see req_{IDENTIFIER.casefold()}",
    "another key": "Token gsk_0123456789abcdefghijklmnopqrst is over its quota",
    "a hexadecimal key": f"Key {'0a1b' * 8} is over its quota",
    "a project": "Project number 1234567890123456 has no quota",
    "the key": f"No credit left for {KEY}",
    "the key, cut off": "No credit left for sk-pro...wxyz",
    "the key, masked": "No credit left for sk-pro*********wxyz",
}
"""Sentences of servers with what only the operator may know."""


@pytest.mark.parametrize("status", [400, 429, 500])
@pytest.mark.parametrize("said", OPERATORS.values(), ids=OPERATORS)
def test_identifiers_and_keys_of_the_operator_are_left_out(said: str, status: int) -> None:
    read = refusal({"error": {"message": said, "code": said, "param": said}}, status, key=KEY)
    for text in (read.reason, read.message):
        told = text.casefold()
        for secret in (IDENTIFIER, "0123456789", "0a1b", "1234567890", "xy12", "secret", "-pro", "wxyz"):
            assert secret.casefold() not in told
        assert "…" in text
        assert any(word in told for word in ("organization", "error", "quota", "credit"))


def test_the_key_is_left_out_where_the_request_is_no_conversation() -> None:
    request = httpx2.Request(
        "POST", "http://server/v1", headers={"Authorization": f"Bearer {KEY}"}, content=b"\xff"
    )
    error = openai.APIError("x", request, body={"message": f"No credit left for {KEY}, bearer."})
    assert Refusal.of(error).message == "No credit left for …, bearer."


@pytest.mark.parametrize(
    "word",
    [
        "context_length_exceeded",
        "string_above_max_length",
        "integer_below_min_value",
        "exceed_context_size_error",
        "invalid_function_parameters",
        "model_not_found",
        "GenerateContentRequest",
        "extra_forbidden",
        "gpt-4o-mini-transcribe-2025-12-15",
        "meta-llama/Llama-4-Scout-17B-16E-Instruct",
        "Qwen/Qwen3-30B-A3B-Instruct-2507",
        "claude-sonnet-4-5-20250929",
        "registry.ollama.ai/library/gemma3:270m-it-qat",
        "Systran/faster-distil-whisper-large-v3",
        "SmolLM2-135M-Instruct-Q4_K_M.gguf",
        "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
    ],
)
@pytest.mark.parametrize("field", ["code", "message"])
def test_codes_and_names_of_models_are_told(word: str, field: str) -> None:
    assert refusal({"error": {field: word}}, 429).reason == word


def test_a_long_message_is_cut() -> None:
    reason = refusal({"error": {"message": f"Error: {'invalid ' * 1000} no role"}}).reason
    assert len(reason) <= MAX_TOLD + 3
    assert reason.startswith("Error: invalid")
    assert reason.endswith("invalid no role")


@pytest.mark.parametrize("spaces", range(1960, 2000, 3))
def test_no_half_of_a_word_that_was_said_is_left_where_a_message_is_cut(spaces: int) -> None:
    message = refusal({"error": {"message": f"{'-' * spaces}{SAID}{'-' * 4000}"}}).message.casefold()
    for word in ("gert", "rude", "mill", "471", "tall"):
        assert word not in message


def test_encoded_audio_is_left_out() -> None:
    assert "QUJD" not in refusal({"error": {"message": f"invalid: {'QUJD' * 100}"}}).reason


PARTS = {"stt": "recognizer", "llm": "language model", "tts": "synthesizer"}
TOLD = {
    400: "the {part} at http://server:1 answered with error 400: no_x (y): Not this",
    402: "the {part} at http://server:1 answered with error 402: no_x (y): Not this",
    401: "http://server:1 refuses the key; set OPENAI_API_KEY, or --{stage}_api_key_file (no_x (y))",
    404: "http://server:1 knows no model 'm'; choose another: --{stage}_model_name (no_x (y): Not this)",
    429: "http://server:1 accepts no more requests: rate limit reached, or no credit left "
    "(no_x (y): Not this)",
    500: "the {part} at http://server:1 answered with error 500: no_x (y): Not this",
    503: "the {part} at http://server:1 answered with error 503: no_x (y): Not this",
}


@pytest.mark.parametrize("stage", PARTS)
@pytest.mark.parametrize(("status", "sentence"), TOLD.items())
def test_the_client_hears_the_reason(stage: str, status: int, sentence: str) -> None:
    server = OpenAIServer(stage, "openai", "m", "m", "http://server:1/v1", key="k")
    request = httpx2.Request("POST", "http://server:1/v1")
    body = {"error": {"message": "Not this.", "code": "no_x", "param": "y"}}
    response = httpx2.Response(status, json=body, request=request)
    error = openai.OpenAI(api_key="k", base_url="http://server:1/v1")._make_status_error_from_response(
        response
    )
    told = server._explain(error, Refusal.of(error))
    assert told == sentence.format(part=PARTS[stage], stage=stage)
