"""--llm llama-cpp, with a tiny GGUF file that is written on the spot."""

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from LLM import llama_cpp_server
from LLM.llama_cpp_chat import LlamaCppChatModel
from LLM.llama_cpp_server import BATCH
from pipeline.errors import UserError
from pipeline.messages import MAX_OUTPUT_TOKENS, ChatMessage, CutOff, ToolCall
from pipeline.settings import SOME_TOOL, Tool
from pipeline.turn import CancelToken
from tests.command import ROOT
from tests.LLM.tiny_gguf import TOOL_TEMPLATE, tiny_gguf
from tests.local_chat_models import HELLO, LocalChatModelContract, words_of

SETTINGS = {"max_tokens": 40, "temperature": 0.0}
WEATHER = Tool(
    "weather",
    "the weather",
    {"type": "object", "properties": {"hot": {"type": "boolean"}}, "required": ["hot"]},
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


def model(file: Path | str, *, gguf: str = "*.gguf", **settings: Any) -> LlamaCppChatModel:
    settings = {"context": 512, "gen_kwargs": SETTINGS, **settings}
    return LlamaCppChatModel(str(file), gguf, "cpu", **settings)


def text(model: LlamaCppChatModel, messages: list[ChatMessage] = HELLO) -> str:
    return words_of(model.generate(messages, CancelToken()))


class TestLlamaCpp(LocalChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, file: Path) -> LlamaCppChatModel:
        return model(file)

    def test_cancelled_while_it_reads_it_stops(
        self, engine: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cancel, stream, read = CancelToken(), engine.server.stream, []

        def watched(request: Any, token: CancelToken) -> Any:
            for chunk in stream(request, token):
                if progress := chunk.get("prompt_progress"):
                    read.append(progress["processed"])
                    token.cancel()
                yield chunk

        monkeypatch.setattr(engine.server, "stream", watched)
        assert list(engine.generate([ChatMessage("user", "you " * 110)], cancel)) == []
        assert max(read) <= 2 * BATCH

    def test_what_was_read_before_changes_no_answer(self, engine: Any) -> None:
        question = [ChatMessage("user", "you " * 100)]
        expected = text(engine, question)
        assert text(engine, [*question, ChatMessage("assistant", "yes"), *HELLO])
        assert text(engine, question) == expected

    def test_of_a_conversation_that_goes_on_only_the_new_is_read(
        self, engine: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spoken = [ChatMessage("user", "you " * 50), ChatMessage("assistant", "yes")]
        text(engine, spoken[:1])
        text(engine, HELLO)  # another conversation, in the other slot
        stream, unread = engine.server.stream, []

        def watched(request: Any, token: CancelToken) -> Any:
            for chunk in stream(request, token):
                if progress := chunk.get("prompt_progress"):
                    unread.append(progress["total"] - progress["cache"])
                yield chunk

        monkeypatch.setattr(engine.server, "stream", watched)
        text(engine, [*spoken, *HELLO])
        assert unread[0] < 60

    def test_what_was_read_ahead_is_not_read_again(
        self, engine: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream, unread = engine.server.stream, []

        def watched(request: Any, token: CancelToken) -> Any:
            for chunk in stream(request, token):
                if progress := chunk.get("prompt_progress"):
                    unread.append(progress["total"] - progress["cache"])
                yield chunk

        monkeypatch.setattr(engine.server, "stream", watched)
        begun = "so once upon a time there was a " * 6
        engine.read([ChatMessage("user", begun)], CancelToken())
        assert unread[0] > 150
        unread.clear()
        assert text(engine, [ChatMessage("user", begun + "king")])
        assert unread[0] < 40

    def test_answers_at_once_are_those_of_one_after_the_other(self, engine: LlamaCppChatModel) -> None:
        questions = [[ChatMessage("user", f"{word} " * 20)] for word in ("sun", "moon")]
        alone = [text(engine, question) for question in questions]
        with ThreadPoolExecutor(2) as callers:
            for _ in range(3):
                assert list(callers.map(lambda question: text(engine, question), questions)) == alone

    def test_half_an_emoji_is_read(self, engine: LlamaCppChatModel) -> None:
        assert text(engine, [ChatMessage("user", "half \ud83d")])


def test_words_are_chosen_as_was_asked(file: Path) -> None:
    likeliest = text(model(file))
    assert text(model(file)) == likeliest
    assert text(model(file, gen_kwargs={**SETTINGS, "temperature": 30.0})) != likeliest
    brief = list(model(file, gen_kwargs={**SETTINGS, "max_tokens": 3}).generate(HELLO, CancelToken()))
    assert words_of(iter(brief)) == likeliest[:3]
    assert brief[-1] == CutOff(MAX_OUTPUT_TOKENS)


def test_the_template_is_told_whether_to_think(file: Path) -> None:
    hasty, thoughtful = model(file), model(file, thinking=True)
    assert thoughtful._length(HELLO) > hasty._length(HELLO)


def test_functions_are_called_where_the_template_has_them(file: Path, tmp_path: Path) -> None:
    file_with_tools = tiny_gguf(tmp_path / "tools.gguf", template=TOOL_TEMPLATE)
    caller = model(file_with_tools, context=1024, gen_kwargs={**SETTINGS, "max_tokens": 100})
    assert caller.info.takes_tools
    assert not model(file).info.takes_tools
    *pieces, end = caller.generate(HELLO, CancelToken(), [WEATHER], SOME_TOOL)
    assert end == CutOff(MAX_OUTPUT_TOKENS)
    assert all(isinstance(piece, ToolCall) and piece.name == "weather" for piece in pieces)
    calls = [piece for piece in pieces if isinstance(piece, ToolCall)]
    id = calls[0].id  # others follow, of which the last is cut at the length of the answer
    arguments = "".join(call.arguments for call in calls if call.id == id)
    assert json.loads(arguments)["hot"] in (True, False)
    told = ChatMessage("tool", "20 degrees", answers=id)
    asked = ChatMessage("assistant", "", (ToolCall(id, "weather", arguments),))
    assert text(caller, [*HELLO, asked, told])


def test_its_port_is_closed_to_others(file: Path) -> None:
    engine = model(file)
    address = engine.server._server.listening_address
    question = Request(f"{address}/v1/chat/completions", b'{"messages": []}')
    with pytest.raises(HTTPError) as caught:
        urlopen(question, timeout=60)
    assert caught.value.code == 401
    caught.value.close()
    engine.close()
    host, port = address.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=60)


def test_a_file_of_a_folder(file: Path) -> None:
    assert text(model(file.parent, gguf="tiny*")) == text(model(file))
    with pytest.raises(UserError, match=r"--llm_gguf \*Q8\*: .* has no such file"):
        model(file.parent, gguf="*Q8*")


def test_a_model_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it has no chat template"):
        model(tiny_gguf(tmp_path / "base.gguf", template=None))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GIF89a")
    with pytest.raises(UserError, match="expected a GGUF file, got another kind of file"):
        model(broken)
    whole = tiny_gguf(tmp_path / "whole.gguf").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="got one that is cut off"):
        model(broken)
    with pytest.raises(UserError, match="expected a folder that exists"):
        model("/nowhere/model.gguf")


def test_a_model_that_is_larger_than_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llama_cpp_server, "memory_bytes", lambda: 1000)
    with pytest.raises(UserError, match="expected a model that fits into the 1 kB"):
        model(file)


def test_a_program_that_ends_in_mid_answer_ends_in_peace(file: Path) -> None:
    code = (
        "from LLM.llama_cpp_chat import LlamaCppChatModel\n"
        "from pipeline.messages import ChatMessage\n"
        "from pipeline.turn import CancelToken\n"
        f"model = LlamaCppChatModel({str(file)!r}, '*', 'cpu', gen_kwargs={{'max_tokens': 4000}})\n"
        "answer = model.generate([ChatMessage('user', 'Hello.')], CancelToken())\n"
        "next(answer)\n"
        "raise SystemExit(7)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (7, b"")
