"""Reading ahead: the model has read all but the last words when the user has finished."""

import threading
from collections.abc import Sequence

from LLM.chat import DEFAULT_PROMPT
from LLM.slots import Slots
from pipeline.events import PartialTranscript
from pipeline.messages import ChatMessage
from pipeline.settings import EndpointerSettings
from pipeline.turn import CancelToken
from testing.conversation import Conversation
from testing.fakes import ScriptedModel
from tests.socket_clients import wait_for

SYSTEM = ChatMessage("system", "Be brief.")


def said(*words: str) -> list[ChatMessage]:
    roles = ("user", "assistant")
    return [SYSTEM, *(ChatMessage(roles[at % 2], word) for at, word in enumerate(words))]


class ReadingModel(ScriptedModel):
    """Notes what it reads ahead."""

    def __init__(self) -> None:
        super().__init__("Yes.")
        self.read_messages: list[Sequence[ChatMessage]] = []

    def read(self, messages: Sequence[ChatMessage], cancel: CancelToken) -> None:
        self.read_messages.append(messages)


def test_the_conversation_is_read_when_speech_begins_and_then_its_words() -> None:
    model = ReadingModel()
    talk = Conversation(endpointing=EndpointerSettings(), llm=model)
    talk._mail = talk.session.events.subscribe(live=(PartialTranscript,))
    with talk:
        talk.speak(320)
        wait_for(lambda: len(model.read_messages) == 1, "the prompt is read")
        assert [m.content for m in model.read_messages[0]] == [DEFAULT_PROMPT]
        for _ in range(10):
            talk.speak(640)
        wait_for(lambda: len(model.read_messages) > 1, "the words are read")
        assert model.read_messages[-1][-1] == ChatMessage("user", "words")


def test_a_conversation_keeps_its_slot() -> None:
    slots = Slots(2)
    with slots.taken(said("a", "yes", "a2")) as first, slots.taken(said("b", "yes", "b2")) as second:
        assert first != second
    for conversation, own in (
        (said("b", "yes", "b2", "no", "b3"), second),
        (said("a", "yes", "a2", "no", "a3"), first),
    ):
        with slots.taken(conversation) as slot:
            assert slot == own
    with slots.taken([ChatMessage("user", "somebody new")]) as slot:
        assert slot == second, "which was used longest ago"


def test_a_guess_that_was_wrong_and_an_answer_cut_short_keep_the_slot() -> None:
    slots = Slots(2)
    with slots.taken(said("how are")) as own:
        pass
    with slots.taken(said("how are you", "very well", "good")) as slot:
        assert slot == own
    with slots.taken(said("how are you", "very…", "what")) as slot:
        assert slot != own, "two messages differ: it is as if new"


def test_an_answer_takes_the_slot_of_a_call_that_reads_ahead() -> None:
    slots, reading, reads = Slots(2), CancelToken(), threading.Event()
    taken: list[int] = []

    def read() -> None:
        with slots.taken(said(), reading) as slot:
            taken.append(slot)
            reads.set()
            stopped = threading.Event()
            with reading.on_cancel(stopped.set):
                assert stopped.wait(60)

    reader = threading.Thread(target=read)
    reader.start()
    assert reads.wait(60)
    with slots.taken([ChatMessage("user", "somebody else")]) as slot:
        assert not reading.cancelled
        assert slot != taken[0]
    with slots.taken(said("how are you")) as slot:
        assert reading.cancelled
        assert slot == taken[0]
    reader.join(60)
