"""--llm transformers, with a tiny model built on the spot."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed (pip install -e .[transformers])")

import torch

from engines.starting import warm_up
from LLM.marks import THOUGHTS
from LLM.transformers_chat import TransformersChatModel
from pipeline.errors import EngineError, UserError
from pipeline.messages import MAX_OUTPUT_TOKENS, ChatMessage, CutOff
from pipeline.turn import CancelToken
from testing.tiny_models import tiny_chat_model
from tests.local_chat_models import HELLO, LocalChatModelContract, words_of

SETTINGS = {"max_new_tokens": 40, "do_sample": False}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Use one thread: several that wait for each other are slow beside other tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_chat_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def likeliest(folder: Path) -> TransformersChatModel:
    """A model that always chooses the likeliest words."""
    return TransformersChatModel(str(folder), "cpu", gen_kwargs=SETTINGS)


def text(model: TransformersChatModel, messages: list[ChatMessage]) -> str:
    return words_of(model.generate(messages, CancelToken()))


class TestOneByOne(LocalChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, likeliest: TransformersChatModel) -> TransformersChatModel:
        return likeliest


class TestParallel(LocalChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: Path) -> Iterator[TransformersChatModel]:
        model = TransformersChatModel(str(folder), "cpu", parallel=3, gen_kwargs=SETTINGS)
        yield model
        model.close()

    def test_several_at_once_get_the_answers_that_they_would_get_alone(
        self, engine: TransformersChatModel, likeliest: TransformersChatModel
    ) -> None:
        questions = [[ChatMessage("user", f"tell me {n} story")] for n in range(3)]
        expected = [text(likeliest, question) for question in questions]
        answers: dict[int, str] = {}
        callers = [
            threading.Thread(target=lambda n=n: answers.update({n: text(engine, questions[n])}))
            for n in range(3)
        ]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(60)
        assert [answers.get(n) for n in range(3)] == expected

    def test_who_leaves_makes_room(self, engine: Any) -> None:
        """Abandon ten times as many answers as there is room for."""
        for _ in range(30):
            answer = engine.generate(HELLO, CancelToken())
            next(answer)
            answer.close()
        assert text(engine, HELLO)
        manager = engine._answers._manager
        assert manager.output_router.result_handlers == {}
        assert len(manager.batch_processor.scheduler.active_requests) <= 1

    def test_a_model_that_has_stopped_says_so(self, folder: Path) -> None:
        model: Any = TransformersChatModel(str(folder), "cpu", parallel=2, gen_kwargs=SETTINGS)
        warm_up(model)
        model._answers._manager.stop(block=True, hard_stop=True)
        with pytest.raises(EngineError, match="the language model failed"):
            text(model, HELLO)
        model.close()


@pytest.mark.parametrize("parallel", [1, 2])
@pytest.mark.parametrize(
    ("settings", "by_chance"),
    [
        ({"temperature": 0.0}, False),
        ({"temperature": 30.0}, True),
        ({"temperature": 30.0, "top_p": 1e-6}, False),
    ],
)
def test_words_are_chosen_as_was_asked(
    folder: Path,
    likeliest: TransformersChatModel,
    parallel: int,
    settings: dict[str, Any],
    by_chance: bool,
) -> None:
    model = TransformersChatModel(
        str(folder), "cpu", parallel=parallel, gen_kwargs={"max_new_tokens": 40, **settings}
    )
    assert (text(model, HELLO) != text(likeliest, HELLO)) == by_chance
    model.close()


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_longest_answer(folder: Path, parallel: int) -> None:
    settings = {**SETTINGS, "max_new_tokens": 3}
    model: Any = TransformersChatModel(str(folder), "cpu", parallel=parallel, gen_kwargs=settings)
    answer = list(model.generate(HELLO, CancelToken()))
    assert 0 < len(words_of(iter(answer))) < 20
    assert answer[-1] == CutOff(MAX_OUTPUT_TOKENS)
    model.close()


def test_thinking_is_off_unless_it_is_wanted(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m.content }}{% endfor %}{{ '<think>' if enable_thinking }}"
    folder = str(tiny_chat_model(tmp_path, template=template))
    for thinking in (False, True):
        model = TransformersChatModel(folder, "cpu", thinking=thinking, gen_kwargs=SETTINGS)
        assert text(model, HELLO).startswith(THOUGHTS[0].opening) == thinking


def test_without_a_chat_template(tmp_path: Path) -> None:
    folder = tiny_chat_model(tmp_path, template=None)
    with pytest.raises(UserError, match="no chat template"):
        TransformersChatModel(str(folder), "cpu")


def test_a_model_without_all_its_weights_refuses_to_start(tmp_path: Path) -> None:
    folder = tiny_chat_model(tmp_path, without="mlp.down_proj")
    with pytest.raises(UserError, match="layers have no weights"):
        TransformersChatModel(str(folder), "cpu")


def test_weights_that_are_cut_off(tmp_path: Path) -> None:
    weights = tiny_chat_model(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"--llm_model_name .*expected a chat model of Transformers"):
        TransformersChatModel(str(tmp_path), "cpu")


def test_a_model_that_is_not_there() -> None:
    with pytest.raises(UserError, match="expected a folder that exists"):
        TransformersChatModel("/nowhere/model", "cpu")
