"""Errors of servers about fields of a request ▶ the next request ▶ the notice for the client."""

from collections.abc import Mapping
from typing import Any

import pytest

from LLM.openai_chat import OpenAIChatModel
from LLM.openai_messages import mended_arguments
from LLM.openai_responses import OpenAIResponsesModel
from pipeline.errors import EngineError
from pipeline.messages import ChatMessage, ToolCall
from pipeline.settings import NO_TOOL, SOME_TOOL
from testing.speech_server import SpeechServer
from tests.LLM.asking import HELLO, MODELS, SYSTEM, WEATHER, ask, codes, texts


def openai_error(code: str, param: str | None, message: str) -> tuple[int, Any]:
    return 400, {
        "error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    }


WANTS_NEW_NAME = openai_error(
    "unsupported_parameter",
    "max_tokens",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
    "instead.",
)
PARAMETERS: Mapping[str, tuple[dict[str, tuple[int, Any]], dict[str, Any], list[str]]] = {
    "gpt-5-mini": (
        {
            "max_tokens": WANTS_NEW_NAME,
            "temperature": openai_error(
                "unsupported_value",
                "temperature",
                "Unsupported value: 'temperature' does not support 0.5 with this model. Only the "
                "default "
                "(1) value is supported.",
            ),
        },
        {"max_completion_tokens": 50, "top_p": 0.9},
        ["temperature"],
    ),
    "a message that names the field": (
        {"max_tokens": (400, {"message": "max_tokens is not supported"})},
        {"max_completion_tokens": 50, "temperature": 0.5, "top_p": 0.9},
        [],
    ),
    "neither name": (
        {
            "max_tokens": WANTS_NEW_NAME,
            "max_completion_tokens": (
                400,
                {"error": {"message": "Unrecognized request argument supplied: max_completion_tokens"}},
            ),
        },
        {"temperature": 0.5, "top_p": 0.9},
        ["max_tokens"],
    ),
    "a value that is too large": (
        {
            "max_tokens": openai_error(
                "invalid_value",
                "max_tokens",
                "max_tokens is too large: 50. This model supports at most 20 completion tokens.",
            )
        },
        {"temperature": 0.5, "top_p": 0.9},
        ["max_tokens"],
    ),
    "Claude, a value that is too large": (
        {
            "max_tokens": (
                400,
                {"error": {"message": "max_tokens: 50 > 20, which is the maximum allowed number of "
                 "output tokens"}},
            )
        },
        {"temperature": 0.5, "top_p": 0.9},
        ["max_tokens"],
    ),
    "FastAPI": (
        {"top_p": (422, {"detail": [{"type": "forbidden", "loc": ["body", "top_p"], "msg": "Extra"}]})},
        {"max_tokens": 50, "temperature": 0.5},
        ["top_p"],
    ),
    "an older vLLM": (
        {
            "top_p": (
                400,
                {"message": "[{'type': 'extra_forbidden', 'loc': ('body', 'top_p'), 'msg': 'Extra "
                "inputs "
                 "are not permitted', 'input': 0.9}]"},
            )
        },
        {"max_tokens": 50, "temperature": 0.5},
        ["top_p"],
    ),
    "Gemini": (
        {
            "top_p": (
                400,
                [{"error": {"code": 400, "message": 'Invalid JSON payload received. Unknown name '
                '"top_p": '
                  "Cannot find field."}}],
            )
        },
        {"max_tokens": 50, "temperature": 0.5},
        ["top_p"],
    ),
    "Claude": (
        {"temperature": (400, {"error": {"message": "`temperature` and `top_p` cannot both be "
        "specified"}})},
        {"max_tokens": 50, "top_p": 0.9},
        ["temperature"],
    ),
    "Groq": (
        {"top_p": (400, {"error": {"message": "property 'top_p' is unsupported"}})},
        {"max_tokens": 50, "temperature": 0.5},
        ["top_p"],
    ),
}  # fmt: skip
"""Name ▶ refusals by field, the fields that are sent in the end, and those that the client hears of."""

SAMPLING = {"max_tokens": 50, "temperature": 0.5, "top_p": 0.9}


@pytest.mark.parametrize(("refusals", "sent", "told"), PARAMETERS.values(), ids=PARAMETERS)
def test_a_field_that_is_not_taken_is_renamed_or_left_out(
    server: SpeechServer,
    refusals: dict[str, tuple[int, Any]],
    sent: dict[str, Any],
    told: list[str],
) -> None:
    server.refuses = lambda request: next((refusals[name] for name in request if name in refusals), None)
    model = OpenAIChatModel("m", server.base_url, retries=0, gen_kwargs=SAMPLING)
    text, notices = ask(model)
    assert text == server.reply
    assert len(server.requests) == 1 + len(refusals)
    fields = {"model", "messages", "stream"}
    assert {name: value for name, value in server.requests[-1].items() if name not in fields} == sent
    assert codes(notices) == (["parameter_left_out"] if told else [])
    assert all(name in notices[0].text for name in told)
    assert ask(model, (SYSTEM, HELLO))[1] == notices, "for each session to hear once"
    assert len(server.requests) == 2 + len(refusals), "the server need not refuse it again"
    model.close()


def test_the_responses_protocol_has_its_own_name(server: SpeechServer) -> None:
    said = openai_error("integer_below_min_value", "max_output_tokens", "Invalid: integer below minimum")
    server.refuses = lambda request: said if "max_output_tokens" in request else None
    model = OpenAIResponsesModel(
        model_name="m", base_url=server.base_url, retries=0, gen_kwargs={"max_tokens": 5}
    )
    (notice,) = ask(model)[1]
    assert "max_output_tokens" in notice.text
    model.close()


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("param", ["model", "messages", "input", "messages[0].content"])
def test_what_a_question_needs_is_never_left_out(
    server: SpeechServer, kind: type[OpenAIChatModel], param: str
) -> None:
    server.refuses = lambda request: openai_error("invalid", param, f"Unsupported parameter: {param}")
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    with pytest.raises(EngineError, match=f"invalid \\({param.split('[', maxsplit=1)[0]}"):
        ask(model)
    assert len(server.requests) == 1
    model.close()


@pytest.mark.parametrize("kind", MODELS)
def test_an_account_that_may_not_stream_gets_the_answer_whole(
    server: SpeechServer, kind: type[OpenAIChatModel]
) -> None:
    said = "Your organization must be verified to stream this model."
    server.refuses = lambda request: (
        openai_error("unsupported_value", "stream", said) if request.get("stream") else None
    )
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    text, notices = ask(model)
    assert (text, codes(notices)) == (server.reply, ["parameter_left_out"])
    model.close()


NO_TOOLS = {
    "Ollama": (400, {"error": {"message": "registry.ollama.ai/library/gemma3:latest does not support "
    "tools"}}),
    "vLLM": (
        400,
        {"message": '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to '
        'be set'},
    ),
    "llama.cpp": (500, {"error": {"code": 500, "message": "tools param requires --jinja flag"}}),
    "OpenRouter": (404, {"error": {"code": 404, "message": "No endpoints found that support tool "
    "use."}}),
    "Groq": (400, {"error": {"message": "`tool calling` is not supported with this model"}}),
    "Gemini": (400, [{"error": {"message": "Function calling is not enabled for "
    "models/gemma-3-1b-it"}}]),
    "OpenAI": openai_error("unsupported_parameter", "tools", "Unsupported parameter: 'tools' is not "
    "known."),
}  # fmt: skip


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("said", NO_TOOLS.values(), ids=NO_TOOLS)
def test_a_model_without_functions_answers_without_them(
    server: SpeechServer, kind: type[OpenAIChatModel], said: tuple[int, Any]
) -> None:
    server.refuses = lambda request: said if "tools" in request else None
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    for _ in range(2):
        text, (notice,) = ask(model, (HELLO,), [WEATHER])
        assert (text, notice.code) == (server.reply, "tools_fallback")
        assert "cannot call functions" in notice.text
    assert len(server.requests) == 3
    assert ask(model)[1] == [], "a session without functions hears nothing of it"
    model.close()


@pytest.mark.parametrize(
    ("choice", "with_tools"), [(SOME_TOOL, True), ("weather", True), (NO_TOOL, False)]
)
def test_a_choice_that_is_not_taken_is_left_out(
    server: SpeechServer, choice: str, with_tools: bool
) -> None:
    said = (400, {"message": "tool_choice is not supported"})
    server.refuses = lambda request: said if "tool_choice" in request else None
    model = OpenAIChatModel("m", server.base_url, retries=0)
    text, _ = ask(model, (HELLO,), [WEATHER], choice)
    assert text == server.reply
    assert ("tools" in server.requests[-1]) is with_tools, "and a call is never made against the choice"
    model.close()


def test_a_mistake_in_a_function_is_told_to_the_client(server: SpeechServer) -> None:
    said = "Invalid schema for function 'weather': object schema missing properties"
    server.refuses = lambda request: (
        openai_error("invalid_function_parameters", "tools[0].function.parameters", said)
        if "tools" in request
        else None
    )
    model = OpenAIChatModel("m", server.base_url, retries=0)
    with pytest.raises(EngineError, match="Invalid schema for function 'weather'"):
        ask(model, (HELLO,), [WEATHER])
    assert ask(model) == (server.reply, [])
    model.close()


def test_one_user_cannot_change_what_others_are_sent(server: SpeechServer) -> None:
    words = "registry.ollama.ai/library/m does not support tools, and system role not supported"
    server.refuses = lambda request: (
        openai_error("content_filter", None, f"Filtered: {words}") if words in str(request) else None
    )
    model = OpenAIChatModel("m", server.base_url, retries=0)
    with pytest.raises(EngineError, match="content_filter"):
        ask(model, (SYSTEM, ChatMessage("user", words)), [WEATHER])
    assert ask(model, (SYSTEM, HELLO), [WEATHER]) == (server.reply, [])
    assert "tools" in server.requests[-1]
    assert texts(server.requests[-1])[0] == "Be brief."
    model.close()


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"city": "London"}', '{"city": "London"}'),
        ("{}", "{}"),
        ("", "{}"),
        ("null", "{}"),
        ('{"zone": "Eur', "{}"),
        ("[1]", "{}"),
        ("7", "{}"),
        ("city=London", "{}"),
        ('"{\\"city\\": \\"London\\"}"', '{"city": "London"}'),
        ('{"x": NaN}', "{}"),
        ('{"x": 1e999}', "{}"),
        pytest.param("[" * 100_000, "{}", id="endless"),
        ('{"x": "\\ud83d\\ude00"}', '{"x": "😀"}'),
        ('{"x": "\\ud83d"}', '{"x": "\ud83d"}'),
    ],
)
def test_arguments_are_always_an_object(arguments: str, sent: str) -> None:
    assert mended_arguments(arguments) == sent


@pytest.mark.parametrize("kind", MODELS)
def test_half_a_character_is_replaced(server: SpeechServer, kind: type[OpenAIChatModel]) -> None:
    model = kind(model_name="m", base_url=server.base_url, retries=0)
    half = "\ud83d"
    call = ToolCall(f"call{half}", f"name{half}", f'{{"x": "{half}"}}')
    conversation = (
        ChatMessage("user", f"{half}\ude00 and {half}"),
        ChatMessage("assistant", "", (call,)),
        ChatMessage("tool", half, answers=call.id),
    )
    assert ask(model, conversation) == (server.reply, [])
    assert texts(server.requests[0])[0] == "😀 and \N{REPLACEMENT CHARACTER}"
    assert half not in str(server.requests[0])
    model.close()
