"""--llm llama-cpp, with a tiny GGUF file that is written on the spot."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("llama_cpp", reason="llama.cpp is not installed (pip install -e .[llama-cpp])")
pytest.importorskip("gguf", reason="gguf, which writes the model of these tests, is not installed")

from LLM.llama_cpp_chat import STEP, LlamaCppChatModel
from LLM.thoughts import OPEN
from pipeline.errors import UserError
from pipeline.messages import ChatMessage
from pipeline.turn import CancelToken
from tests.extras.tiny_gguf import tiny_gguf
from tests.local_chat_models import HELLO, LocalChatModelContract

SETTINGS = {"max_tokens": 40, "temperature": 0.0}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf")


def model(file: Path | str, *, gguf: str = "*.gguf", **settings: Any) -> LlamaCppChatModel:
    settings = {"context": 512, "gen_kwargs": SETTINGS, **settings}
    return LlamaCppChatModel(str(file), gguf, "cpu", **settings)


def text(model: LlamaCppChatModel, messages: list[ChatMessage] = HELLO) -> str:
    return "".join(map(str, model.generate(messages, CancelToken())))


class TestLlamaCpp(LocalChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, file: Path) -> LlamaCppChatModel:
        return model(file)

    def test_cancelled_while_it_reads_it_stops(
        self, engine: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cancel, evaluate, read = CancelToken(), engine._llama.eval, []

        def watched(tokens: list[int]) -> None:
            evaluate(tokens)
            read.append(len(tokens))
            cancel.cancel()

        monkeypatch.setattr(engine._llama, "eval", watched)
        engine._llama.reset()
        assert list(engine.generate([ChatMessage("user", "you " * 110)], cancel)) == []
        assert read == [STEP]

    def test_what_was_read_before_changes_no_answer(self, engine: Any) -> None:
        question = [ChatMessage("user", "you " * 100)]
        engine._llama.reset()
        expected = text(engine, question)
        assert text(engine, [*question, ChatMessage("assistant", "yes"), *HELLO])
        assert text(engine, question) == expected


def test_words_are_chosen_as_was_asked(file: Path) -> None:
    likeliest = text(model(file))
    assert text(model(file)) == likeliest
    assert text(model(file, gen_kwargs={**SETTINGS, "temperature": 30.0})) != likeliest
    assert text(model(file, gen_kwargs={**SETTINGS, "max_tokens": 3})) == likeliest[:3]


def test_thinking_is_off_unless_it_is_wanted(file: Path) -> None:
    for thinking in (False, True):
        assert text(model(file, thinking=thinking)).startswith(OPEN) == thinking


def test_a_file_of_a_folder(file: Path) -> None:
    assert text(model(file.parent, gguf="tiny*")) == text(model(file))
    with pytest.raises(UserError, match=r"--llm_gguf \*Q8\*: .* has no such file"):
        model(file.parent, gguf="*Q8*")


def test_a_model_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="it has no chat template"):
        model(tiny_gguf(tmp_path / "base.gguf", template=None))
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF, or is it?")
    with pytest.raises(UserError, match="expected a GGUF file that"):
        model(broken)
    with pytest.raises(UserError, match="expected a folder that exists"):
        model("/nowhere/model.gguf")
