"""SmolLM2 with its real weights: answers that may be spoken, whatever is said to it."""

import random
import re
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import engines.loader
import LLM.auto
from catalog.registry import find
from catalog.weights import FETCH, SMOLLM2
from command_line.parse import parse_command_line
from engines.loader import choose_language_model, load_turn_judges
from LLM.brief import sentences_of
from LLM.chat import DEFAULT_PROMPT, Chat, answer_in
from LLM.eliza import ElizaModel
from LLM.smollm2 import Manner, SmolLM2Model
from pipeline.errors import UserError
from pipeline.messages import ChatMessage, Notice
from pipeline.turn import CancelToken
from testing.contracts import ChatModelContract

ENDS = re.compile(r"[.!?…][\"')”’]?$")

TURNS = (
    "Hello.",
    "I had the best time with you. I just adore you.",
    "Huh? What is going on over there?",
    "Where are we going?",
    "I am so disappointed in myself. I wish I had worked harder.",
    "I'm not sure if we're going to make this flight on time.",
    "This is all too stressful to handle right now.",
    "I don't know where anything is, and I'm running late.",
    "I can't believe I got to see that.",
    "I'm sorry I did that to you.",
    "That wall in the living room is white.",
    "There is one more piece of bread in the pantry.",
    "The store closes at eight p M to night.",
    "I am really proud of how well you did.",
    "I am so relieved that I is over with.",
    "Thank goodness that's all done.",
    "I'm very calm right now.",
    "What can you do?",
    "uh",
    "Thank you, goodbye.",
)
"""What people say to nobody in particular, as a recognizer writes it."""


def create(manner: Manner = Manner()) -> SmolLM2Model:
    """The engine, always with the same chance; skips the test where its weights are missing."""
    if not SMOLLM2.there:
        pytest.skip(f"the weights of SmolLM2 are not here; type: {FETCH}")
    return SmolLM2Model(replace(manner, sampling={**manner.sampling, "seed": 1}))


@pytest.fixture(scope="module")
def model() -> Iterator[SmolLM2Model]:
    made = create()
    yield made
    made.close()


def asked(text: str, instructions: str = DEFAULT_PROMPT) -> list[ChatMessage]:
    """The messages of a first question."""
    return [ChatMessage("system", instructions), ChatMessage("user", text)]


def answer(model: SmolLM2Model, messages: Sequence[ChatMessage]) -> str:
    """The words of an answer."""
    words = (text for text in model.generate(messages, CancelToken()) if isinstance(text, str))
    return "".join(sentences_of(words, "en", model.info.max_sentences))


def notices(model: SmolLM2Model, messages: Sequence[ChatMessage]) -> list[Notice]:
    """The notices in an answer."""
    return [piece for piece in model.generate(messages, CancelToken()) if isinstance(piece, Notice)]


class TestSmolLM2(ChatModelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[SmolLM2Model]:
        made = create()
        yield made
        made.close()


class Talk:
    """One conversation with the model, which says what is in `TURNS`, as far as it was asked for."""

    def __init__(self, model: SmolLM2Model) -> None:
        self._model, self._chat, self._answers = model, Chat(), list[str]()

    def answers(self, count: int) -> list[str]:
        """The first `count` answers."""
        for number in range(len(self._answers), count):
            self._chat.said(number, TURNS[number])
            said = answer(self._model, self._chat.prompt(TURNS[number], turn=number))
            self._chat.heard(number, said, cut_short=False)
            self._answers.append(said.strip())
        return self._answers[:count]


@pytest.fixture(scope="module")
def talk(model: SmolLM2Model) -> Talk:
    return Talk(model)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(TURNS)), ids=lambda number: TURNS[number])
def test_twenty_turns_of_conversation_are_sentences(talk: Talk, number: int) -> None:
    said = talk.answers(number + 1)[-1]
    assert ENDS.search(said), said
    sentences = re.split(r"(?<=[.!?])\s+", said)
    assert len(sentences) <= 3, said  # the split takes "Dr. No" for two
    assert len(set(sentences)) == len(sentences), said
    assert len(said.split()) <= 70, said


@pytest.mark.slow
def test_twenty_turns_of_conversation_are_no_loop(talk: Talk) -> None:
    repeated = sum(said == before for before, said in pairwise(("", *talk.answers(len(TURNS)))))
    assert repeated <= 2, "the same answer twice in a row, which other processors may round to"


def test_it_knows_a_thing_or_two(model: SmolLM2Model) -> None:
    assert "Paris" in answer(model, asked("What is the capital of France?"))
    assert "Berlin" in answer(model, asked("What is the capital of Germany?"))


def test_it_says_what_it_is(model: SmolLM2Model) -> None:
    for question in ("Who are you?", "Are you a human?"):
        said = answer(model, asked(question))
        assert not re.search(r"name is (?!Smol)|I'm (?!Smol)[A-Z]|\bI am a human|\bI'm a human", said), (
            said
        )
    assert "makes things up" in find("llm", "smollm2").about


def test_another_language_is_told(model: SmolLM2Model) -> None:
    in_telugu = asked("నమస్కారం", DEFAULT_PROMPT + answer_in("te"))
    (notice,) = notices(model, in_telugu)
    assert notice.code == "language_fallback"
    assert "does not speak Telugu" in notice.text
    in_english = asked("Hello.", DEFAULT_PROMPT + answer_in("en-auto"))
    assert notices(model, in_english) == []


def test_the_limit_of_an_answer_leaves_no_half_sentence() -> None:
    model = create(Manner(sampling={"max_tokens": 24, "temperature": 0}))
    for text in ("Tell me a very long story about the sea.", "Explain how a car works.", "Hi."):
        said = answer(model, asked(text)).strip()
        assert ENDS.search(said) or said.endswith(","), said
    model.close()


def test_a_cancelled_answer_makes_room_at_once(model: SmolLM2Model) -> None:
    cancel = CancelToken()
    story = model.generate(asked("Tell me a very long story about the sea."), cancel)
    assert next(story)
    threading.Timer(0.05, cancel.cancel).start()
    begun_at = time.process_time()  # other programs may take the machine for longer
    list(story)
    assert time.process_time() - begun_at < 2


def test_instructions_of_a_client_count(model: SmolLM2Model) -> None:
    baker = "You are a helpful AI assistant named Carla. You work in a bakery and sell bread."
    said = answer(model, asked("Who are you?", baker))
    assert re.search("Carla|bak|bread", said), said
    cook = "You are a cooking assistant. Only talk about food."
    said = answer(model, asked("What do you like?", cook))
    assert re.search("food|cook|dish|eat|recipe", said, re.IGNORECASE), said


def test_a_file_that_is_cut_off_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create().close()
    whole = SMOLLM2.path
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    with pytest.raises(UserError, match=r"--llm smollm2: .*gguf is missing; type: python -m catalog"):
        SmolLM2Model()
    SMOLLM2.path.write_bytes(whole.read_bytes()[:1_000_000])
    with pytest.raises(UserError, match="is damaged; type"):
        SmolLM2Model()
    shutil.copy(whole, SMOLLM2.path)
    with SMOLLM2.path.open("r+b") as file:
        file.write(b"GGUF" + bytes(1000))
    with pytest.raises(UserError, match=r"cannot load .*; to fetch it again, type"):
        SmolLM2Model()


def test_weights_that_give_no_numbers_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = SMOLLM2.path
    create().close()
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    shutil.copy(whole, SMOLLM2.path)
    with SMOLLM2.path.open("r+b") as file:
        file.seek(SMOLLM2.size // 2)
        file.write(random.Random(0).randbytes(20_000))
    with pytest.raises(UserError, match="to fetch it again, type"):
        SmolLM2Model()
    with pytest.raises(UserError, match="is damaged; type"):
        load_turn_judges("words", ElizaModel())
    assert not SMOLLM2.intact


def test_auto_takes_it_where_no_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    create().close()
    monkeypatch.setattr(LLM.auto, "_SERVERS", {1: LLM.auto.OLLAMA})
    monkeypatch.setattr(engines.loader, "OFFERS", ())
    hints: dict[str, str] = {}
    chosen = choose_language_model(parse_command_line([]), hints)
    chosen.close()
    assert chosen.info.name == "smollm2"
    assert "for real answers, install Ollama" in hints["llm"]


def test_auto_takes_eliza_where_its_file_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(LLM.auto, "_SERVERS", {1: LLM.auto.OLLAMA})
    monkeypatch.setattr(engines.loader, "OFFERS", ())
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    SMOLLM2.path.write_bytes(b"GGUF" + bytes(1000))
    assert choose_language_model(parse_command_line([]), {}).info.name == "eliza"
    told = capsys.readouterr().err
    assert "Eliza stands in for a language model, since --llm smollm2: " in told
    assert "is damaged; type: python -m catalog.weights" in told
    assert f"type: {FETCH}" in told
