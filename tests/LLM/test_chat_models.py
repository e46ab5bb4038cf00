"""The chat models: the stand-in, and a server over a real socket."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest

import LLM.auto
from LLM.eliza import INTRODUCTION, ElizaModel
from LLM.openai_chat import OpenAIChatModel
from LLM.thoughts import Piece
from pipeline.errors import EngineError, UserError
from pipeline.messages import ChatMessage
from pipeline.turn import CancelToken
from testing.chat_server import ChatServer
from testing.contracts import ChatModelContract
from testing.server import ScriptedWebServer

HELLO = [ChatMessage("user", "Hello.")]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def ask(model: OpenAIChatModel, cancel: CancelToken | None = None) -> str:
    return words(model.generate(HELLO, cancel or CancelToken()))


def words(pieces: Iterator[Piece]) -> str:
    """The text of an answer, in which there is nothing else."""
    return "".join(cast("Iterator[str]", pieces))


class TestEliza(ChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> ElizaModel:
        return ElizaModel()

    def test_it_says_what_it_is_once(self, engine: ElizaModel) -> None:
        first = "".join(engine.generate(HELLO, CancelToken()))
        assert first.startswith(INTRODUCTION)
        assert "stand-in" in first
        later = [*HELLO, ChatMessage("assistant", first), ChatMessage("user", "I need help.")]
        assert INTRODUCTION not in "".join(engine.generate(later, CancelToken()))

    @pytest.mark.parametrize("messages", [[], [ChatMessage("user", "")]])
    def test_nothing_at_all_is_answered(self, engine: ElizaModel, messages: list[ChatMessage]) -> None:
        assert "".join(engine.generate(messages, CancelToken())) > INTRODUCTION


class TestOpenAI(ChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[OpenAIChatModel]:
        with ChatServer() as server:
            model = OpenAIChatModel(base_url=server.base_url)
            yield model
            model.close()


def test_the_server_gets_the_conversation_and_the_settings(server: ChatServer) -> None:
    model = OpenAIChatModel("a-model", server.base_url, gen_kwargs={"temperature": 0.5})
    messages = [ChatMessage("system", "Be brief."), *HELLO]
    assert words(model.generate(messages, CancelToken())) == server.reply
    assert server.requests == [
        {
            "model": "a-model",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello."},
            ],
            "temperature": 0.5,
            "stream": True,
        }
    ]
    model.close()


def test_without_streaming_the_answer_comes_whole(server: ChatServer) -> None:
    model = OpenAIChatModel(base_url=server.base_url, stream=False)
    assert list(model.generate(HELLO, CancelToken())) == [server.reply]
    model.close()


def test_the_first_model_is_taken_where_none_is_named(server: ChatServer) -> None:
    model = OpenAIChatModel(base_url=server.base_url)
    ask(model)
    assert server.requests[0]["model"] == "scripted"
    model.close()


@pytest.mark.parametrize("failure", [429, 500, 503, "hang up"])
def test_what_fails_before_the_first_word_is_repeated(server: ChatServer, failure: int | str) -> None:
    model = OpenAIChatModel("m", server.base_url)
    server.failures = [failure]
    assert ask(model) == server.reply
    assert len(server.requests) == 2
    model.close()


def test_it_is_not_repeated_for_ever(server: ChatServer) -> None:
    model = OpenAIChatModel("m", server.base_url, retries=1)
    server.failures = [500] * 5
    with pytest.raises(EngineError, match="answered with error 500: scripted"):
        ask(model)
    assert len(server.requests) == 2
    model.close()


@pytest.mark.parametrize(
    ("failure", "sentence", "code"),
    [
        (401, "refuses the key; set OPENAI_API_KEY", "unauthorized"),
        (403, "refuses the key; set OPENAI_API_KEY", "unauthorized"),
        (404, "knows no model 'm'", "engine_failed"),
        (400, "answered with error 400: scripted", "engine_failed"),
    ],
)
def test_what_will_not_change_is_told_at_once(
    server: ChatServer, failure: int, sentence: str, code: str
) -> None:
    model = OpenAIChatModel("m", server.base_url)
    server.failures = [failure]
    with pytest.raises(EngineError, match=sentence) as caught:
        ask(model)
    assert caught.value.code == code
    assert len(server.requests) == 1
    model.close()


def test_a_server_that_is_not_there() -> None:
    with ChatServer() as server:
        gone = server.base_url
    model = OpenAIChatModel("m", gone, retries=0)
    with pytest.raises(EngineError, match="no language model answers at http") as caught:
        ask(model)
    assert caught.value.code == "unreachable"
    with pytest.raises(UserError, match="start it, or name another: --llm_base_url"):
        OpenAIChatModel(None, gone)


def test_a_server_that_says_nothing(server: ChatServer) -> None:
    server.before_headers.close()
    model = OpenAIChatModel("m", server.base_url, timeout_s=0.2, retries=0)
    with pytest.raises(EngineError, match="did not answer in time") as caught:
        ask(model)
    assert caught.value.code == "timeout"
    model.close()


@pytest.mark.parametrize("where", ["before_headers", "between_words"])
def test_a_cancelled_call_returns_at_once_and_the_server_is_free(server: ChatServer, where: str) -> None:
    model, cancel = OpenAIChatModel("m", server.base_url, retries=5), CancelToken()
    hold = getattr(server, where)
    hold.close()
    answers: list[str] = []
    caller = threading.Thread(target=lambda: answers.append(ask(model, cancel)), daemon=True)
    caller.start()
    hold.wait_until_reached()
    cancel.cancel()
    caller.join(60)
    assert not caller.is_alive()
    assert answers == [""]
    assert len(server.requests) == 1, "a cancelled call is not repeated"
    server.reply = "word " * 10_000
    hold.open()
    assert server.client_left.wait(60), "the server sees that the client is gone"
    server.reply = "Fine."
    assert ask(model) == "Fine.", "and the next call works"
    model.close()


def test_calls_at_the_same_time(server: ChatServer) -> None:
    model, answers = OpenAIChatModel("m", server.base_url), []
    callers = [threading.Thread(target=lambda: answers.append(ask(model))) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert answers == [server.reply] * 8
    model.close()


def test_the_key_comes_from_a_file_or_the_environment(
    server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from-environment")
    key_file = tmp_path / "key"
    key_file.write_text("from-file\n")
    for api_key_file, expected in ((None, "from-environment"), (str(key_file), "from-file")):
        model = OpenAIChatModel("m", server.base_url, api_key_file=api_key_file)
        ask(model)
        assert server.keys[-1] == expected
        model.close()
    monkeypatch.delenv("OPENAI_API_KEY")
    model = OpenAIChatModel("m", server.base_url)
    ask(model)
    assert server.keys[-1] == "none"
    model.close()


def test_the_key_is_in_no_error_and_no_log(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    caplog.set_level("DEBUG")
    model = OpenAIChatModel("m", server.base_url)
    server.failures = [401]
    with pytest.raises(EngineError) as caught:
        ask(model)
    assert "sk-secret" not in str(caught.value)
    assert "sk-secret" not in caplog.text
    model.close()


def test_openai_itself_wants_a_key_and_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UserError, match="no key; set OPENAI_API_KEY"):
        OpenAIChatModel("m")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(UserError, match="expected the name of a model"):
        OpenAIChatModel()


def test_a_key_file_that_is_not_there(server: ChatServer) -> None:
    with pytest.raises(UserError, match="--llm_api_key_file /nowhere"):
        OpenAIChatModel("m", server.base_url, api_key_file="/nowhere")


def test_auto_finds_a_server_and_never_asks_our_own_ports(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LLM.auto, "_SERVERS", {1: "nobody", server.port: "Scripted"})
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    found = LLM.auto.find_local_servers()
    assert found == [LLM.auto.LocalServer("Scripted", server.base_url, ("scripted",))]
    assert server.keys == [""], "the key in the environment is sent nowhere"
    assert LLM.auto.find_local_servers((server.port,)) == []


def test_auto_is_not_fooled_by_a_server_of_another_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    with ChatServer(model="") as server:
        server.model = None  # type: ignore[assignment]
        monkeypatch.setattr(LLM.auto, "_SERVERS", {server.port: "Other"})
        assert LLM.auto.find_local_servers() == []


def test_auto_leaves_another_one_of_this_program_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedWebServer() as server:
        listed = httpx2.get(f"http://127.0.0.1:{server.port}/v1/models", timeout=60).json()
        assert listed["data"], "it lists models, but none of them chats"
        monkeypatch.setattr(LLM.auto, "_SERVERS", {server.port: "vLLM"})
        assert LLM.auto.find_local_servers() == []


def test_no_key_of_the_tests_is_left() -> None:
    assert os.environ.get("OPENAI_API_KEY") != "sk-secret"


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {"choices": [{"delta": None}]}])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_is_not_of_the_protocol_is_one_sentence(
    server: ChatServer, answer: dict[str, Any], stream: bool
) -> None:
    model = OpenAIChatModel("m", server.base_url, stream=stream)
    server.failures = [answer]
    with pytest.raises(EngineError, match="does not follow the protocol"):
        ask(model)
    assert ask(model) == server.reply
    model.close()


@pytest.mark.parametrize("answer", [404, {}, {"data": []}, {"data": [{"name": "x"}]}, {"data": 7}])
def test_a_server_that_lists_no_models_is_said_to_be_one(
    server: ChatServer, answer: int | dict[str, Any]
) -> None:
    server.failures = [answer]
    with pytest.raises(UserError, match=r"--llm openai: .*(lists no models|follow the protocol)"):
        OpenAIChatModel(base_url=server.base_url)


@pytest.mark.parametrize(
    "base_url",
    ["localhost:11434/v1", "http://", "http://host:port/v1", "ftp://host/v1", "http://a:99999/"],
)
def test_what_is_no_address_is_said_to_be_none(base_url: str) -> None:
    with pytest.raises(UserError, match="--llm_base_url: expected an address such as http://"):
        OpenAIChatModel("m", base_url)


def test_a_key_that_no_header_can_carry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("schlüssel", "utf-8")
    with pytest.raises(UserError, match="printable ASCII") as raised:
        OpenAIChatModel("m", "http://localhost:1/v1", str(tmp_path / "key"))
    assert "schl" not in str(raised.value)


def test_no_proxy_gets_what_is_said_on_this_machine(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChatServer("from the proxy") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("http_proxy", proxy.base_url)
        model = OpenAIChatModel("m", server.base_url)
        assert ask(model) == server.reply
        assert proxy.requests == []
        model.close()


def test_a_cancel_that_comes_late_does_not_harm_the_next_call(server: ChatServer) -> None:
    model = OpenAIChatModel("m", server.base_url, retries=0)
    assert ask(model) == server.reply
    model._server._idle[0].shut_down()
    assert ask(model) == server.reply
    model.close()
