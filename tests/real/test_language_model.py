"""The built-in language model, SmolLM2 of 135 million parameters, on llama.cpp.

It knows little, so the tests check the form of its answers, not their truth: whole sentences that end,
and nothing from another user's conversation.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalog.weights import SMOLLM2
from LLM.llama_cpp_chat import LlamaCppChatModel
from pipeline.messages import ChatMessage
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.loops import is_loop
from tests.speech import words

CALLERS = 8
MAX_TOKENS = 32
SYSTEM = ChatMessage(
    "system", "You are a helpful assistant. Your words are spoken aloud: answer in one or two sentences."
)
QUESTIONS = (
    "What is the capital of France?",
    "Hello, who are you?",
    "What do cats eat?",
    "Thank you, good night.",
)
NAMES = ("Alice", "Bob", "Charlie", "Diana", "Edward", "Fiona", "George", "Hannah")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def model() -> Iterator[SharedEngine[LlamaCppChatModel]]:
    """The model, with a slot for each caller; always the likeliest token, so that answers are the
    same."""
    settings = {"temperature": 0, "max_tokens": MAX_TOKENS}
    engine = LlamaCppChatModel(
        str(SMOLLM2.path), "", "cpu", context=1024, parallel=CALLERS, gen_kwargs=settings
    )
    shared = SharedEngine(engine)
    yield shared
    shared.close()


def answer(model: SharedEngine[LlamaCppChatModel], messages: Sequence[ChatMessage]) -> str:
    """The whole answer."""
    pieces = model.stream(lambda engine, cancel: engine.generate(messages, cancel), CancelToken())
    return "".join(piece for piece in pieces if isinstance(piece, str))


@pytest.fixture(scope="module")
def alone(model: SharedEngine[LlamaCppChatModel]) -> list[str]:
    """Its answers to the users, one after the other."""
    return [answer(model, of(name)) for name in NAMES]


def of(name: str) -> list[ChatMessage]:
    """A conversation with a user of this name."""
    return [
        SYSTEM,
        ChatMessage("user", f"My name is {name}."),
        ChatMessage("assistant", f"Nice to meet you, {name}."),
        ChatMessage("user", "What is my name?"),
    ]


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_sentences_and_no_loop(
    model: SharedEngine[LlamaCppChatModel], question: str
) -> None:
    said = answer(model, [SYSTEM, ChatMessage("user", question)])
    assert said[:1].isupper()
    assert any(mark in said for mark in ".!?")
    assert len(words(said)) >= 4
    assert not is_loop(said)
    assert "<|" not in said, "nothing of the template is said"


def test_it_stops_by_itself(model: SharedEngine[LlamaCppChatModel]) -> None:
    pieces = model.stream(
        lambda engine, cancel: engine.generate([SYSTEM, ChatMessage("user", QUESTIONS[0])], cancel),
        CancelToken(),
    )
    assert 4 < len(list(pieces)) < MAX_TOKENS


def test_it_uses_what_was_said_before(alone: list[str]) -> None:
    assert sum(name in said for name, said in zip(NAMES, alone, strict=True)) >= 4


def test_eight_callers_at_once_keep_their_own_conversations(
    model: SharedEngine[LlamaCppChatModel], alone: list[str]
) -> None:
    """In a batch, sums are rounded differently, so an answer may differ where two words are almost
    equally likely; measured: one of eight, or none."""
    with ThreadPoolExecutor(CALLERS) as callers:
        together = list(callers.map(lambda name: answer(model, of(name)), NAMES))
    assert sum(one == other for one, other in zip(alone, together, strict=True)) >= 5
    for name, said in zip(NAMES, together, strict=True):
        others = set(NAMES) - {name}
        assert not others & set(re.findall(r"\w+", said)), (
            f"{name} is told what another one said: {said}"
        )


def test_a_cancelled_answer_ends_in_mid_flight(model: SharedEngine[LlamaCppChatModel]) -> None:
    """At real speed: one more token may be on its way."""
    cancel = CancelToken()
    story = [ChatMessage("user", "Tell me a very long story about the sea.")]
    pieces = []
    for piece in model.engine.generate(story, cancel):
        pieces.append(piece)
        if len(pieces) == 5:
            cancel.cancel()
    assert 5 <= len(pieces) <= 8
    assert answer(model, [SYSTEM, ChatMessage("user", QUESTIONS[0])])


def test_without_tools_in_its_template_it_takes_none(model: SharedEngine[LlamaCppChatModel]) -> None:
    """llama.cpp would describe them in a prompt of its own, which so small a model does not follow."""
    assert not model.engine.info.takes_tools
