"""--llm mlx-lm, with a tiny model that is built on the spot; MLX computes on any processor."""

import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mlx_lm", reason="mlx-lm is not installed (pip install -e .[mlx-lm])")
pytest.importorskip("torch", reason="torch is not installed (pip install -e .[transformers])")

from LLM.marks import THOUGHTS
from LLM.mlx_chat import STEP, MLXChatModel
from pipeline.errors import UserError
from pipeline.messages import MAX_OUTPUT_TOKENS, ChatMessage, CutOff
from pipeline.turn import CancelToken
from testing.tiny_models import tiny_chat_model
from tests.local_chat_models import HELLO, LocalChatModelContract, words_of
from utils.mlx import MLX_LOCK

SETTINGS = {"max_tokens": 40}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chat_model(tmp_path_factory.mktemp("tiny"))


def text(model: MLXChatModel, messages: list[ChatMessage] = HELLO) -> str:
    return words_of(model.generate(messages, CancelToken()))


class TestMLX(LocalChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: Path) -> MLXChatModel:
        return MLXChatModel(str(folder), gen_kwargs=SETTINGS)

    def test_the_others_have_their_turn_between_two_words(self, engine: MLXChatModel) -> None:
        for _ in engine.generate(HELLO, CancelToken()):
            assert MLX_LOCK.acquire(timeout=10)
            MLX_LOCK.release()

    def test_on_another_thread_it_says_the_same(self, engine: MLXChatModel) -> None:
        answers: list[str] = []
        caller = threading.Thread(target=lambda: answers.append(text(engine)))
        caller.start()
        caller.join(30)
        assert answers == [text(engine)]

    def test_cancelled_while_it_reads_it_stops(
        self, engine: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        cancel, read = CancelToken(), []
        model = engine._model

        class Watched:
            def __getattr__(self, name: str) -> Any:
                return getattr(model, name)

            def __call__(self, tokens: Any, *args: Any, **kwargs: Any) -> Any:
                read.append(tokens.shape[1])
                cancel.cancel()
                return model(tokens, *args, **kwargs)

        monkeypatch.setattr(engine, "_model", Watched())
        assert list(engine.generate([ChatMessage("user", "you " * 300)], cancel)) == []
        assert read == [STEP]
        monkeypatch.undo()
        assert text(engine)


def test_words_are_chosen_as_was_asked(folder: Path) -> None:
    def chosen(**settings: float) -> str:
        return text(MLXChatModel(str(folder), gen_kwargs={**SETTINGS, **settings}))

    likeliest = chosen()
    assert chosen(temperature=0.0) == likeliest
    assert chosen(temperature=30.0) != likeliest
    assert len(chosen(max_tokens=3)) < len(likeliest)
    brief = MLXChatModel(str(folder), gen_kwargs={**SETTINGS, "max_tokens": 3})
    assert list(brief.generate(HELLO, CancelToken()))[-1] == CutOff(MAX_OUTPUT_TOKENS)


def test_thinking_is_off_unless_it_is_wanted(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m.content }}{% endfor %}{{ '<think>' if enable_thinking }}"
    folder = str(tiny_chat_model(tmp_path, template=template))
    for thinking in (False, True):
        model = MLXChatModel(folder, thinking=thinking, gen_kwargs=SETTINGS)
        assert text(model).startswith(THOUGHTS[0].opening) == thinking


@pytest.mark.parametrize("flaw", ["template", "weights", "files"])
def test_a_model_that_cannot_be_used(tmp_path: Path, flaw: str) -> None:
    if flaw == "template":
        tiny_chat_model(tmp_path, template=None)
    if flaw == "weights":
        tiny_chat_model(tmp_path, without="mlp.down_proj")
    with pytest.raises(UserError, match=r"--llm_model_name .*: (it has no chat|expected a model)"):
        MLXChatModel(str(tmp_path), gen_kwargs=SETTINGS)
