"""No recognizer: the audio goes to a model that hears; the history records only that the user spoke."""

import base64
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from LLM.chat import Chat
from LLM.openai_chat import OpenAIChatModel
from pipeline.events import Interrupted, Transcript
from pipeline.messages import SPOKEN, ChatMessage, Recording, Samples
from pipeline.settings import EndpointerSettings
from pipeline.turn import CancelToken
from STT.base import Recognizer, Transcription
from STT.none import NoRecognizer
from testing.chat_server import ChatServer
from testing.contracts import RecognizerContract, speech_like
from testing.conversation import Conversation
from testing.fakes import ScriptedModel
from testing.hold import Hold
from tests.command import run
from tests.speech import RATE_HZ, silence, spoken

AUDIO = Recording(speech_like(16000), 16000)


class NobodyListens(NoRecognizer):
    hold = Hold()


@pytest.fixture
def conversation() -> Iterator[Conversation]:
    llm = ScriptedModel("One sentence that takes a while to say. And another one.", "Next.")
    endpointing = EndpointerSettings(speculate=False)
    with Conversation(
        stt=NobodyListens(),  # type: ignore[arg-type]
        llm=llm,
        endpointing=endpointing,
        full_duplex=True,
    ) as conversation:
        yield conversation


class TestContract(RecognizerContract):
    @pytest.fixture
    def engine(self) -> NoRecognizer:
        return NoRecognizer()

    @pytest.fixture
    def spoken(self) -> Samples:
        return speech_like(16000)

    def test_a_call_that_was_cancelled_before_it_began_is_over_soon(
        self, engine: Recognizer, spoken: Samples
    ) -> None:
        """Overrides the contract, which expects fewer words: this engine has none, and does nothing."""
        assert engine.transcribe(spoken, None, CancelToken()) == Transcription("", unheard=True)

    def test_two_callers_get_each_their_own_words(self, engine: Recognizer, spoken: Samples) -> None:
        """None for either: the stage keeps the audio, as the conversations below show."""
        with ThreadPoolExecutor(2) as callers:
            calls = [callers.submit(engine.transcribe, spoken, None, CancelToken()) for _ in range(2)]
        assert [call.result() for call in calls] == [Transcription("", unheard=True)] * 2


def test_the_model_gets_the_audio_of_what_was_said_last(conversation: Conversation) -> None:
    conversation.ask()
    conversation.until_done(1)
    conversation.wait(500)
    conversation.ask()
    conversation.until_done(2)
    first, second = conversation.llm.prompts
    assert [m.audio is not None for m in first] == [False, True]
    assert [m.audio is not None for m in second] == [False, False, False, True]
    assert [m.content for m in second if m.role == "user"] == [SPOKEN, SPOKEN]
    audio = second[-1].audio
    assert audio is not None
    assert audio.sample_rate_hz == 16000
    assert 0.32 <= len(audio.samples) / 16000 < 1
    assert np.abs(audio.samples).max() == pytest.approx(0.5)
    said = [event.text for event in conversation.events(Transcript)]
    assert said == [SPOKEN, SPOKEN]


def test_what_was_committed_without_an_answer_is_heard_when_one_is_asked_for(
    conversation: Conversation,
) -> None:
    conversation.session.change_settings(replace(conversation.session.settings, answers=False))
    conversation.ask()
    conversation.until_done(1)
    assert conversation.llm.prompts == []
    conversation.session.respond()
    conversation.until_done(2)
    assert conversation.llm.prompts[0][-1].audio is not None


@pytest.mark.parametrize(("ms", "interrupts"), [(320, False), (800, True)])
def test_over_a_reply_its_length_decides(conversation: Conversation, ms: int, interrupts: bool) -> None:
    conversation.ask()
    conversation.until(lambda: bool(conversation.sink.frames))
    conversation.wait(320)
    conversation.speak(ms)
    conversation.wait(640)
    conversation.until_done(2)
    assert bool(conversation.events(Interrupted)) == interrupts
    assert conversation.done(2)[0].state == ("done" if interrupts else "dropped")


def test_only_the_newest_is_kept_as_audio() -> None:
    chat = Chat()
    chat.said(1, SPOKEN, AUDIO)
    chat.heard(1, "Yes?", False)
    assert [message.audio for message in chat.prompt("")] == [None, AUDIO, None]
    assert [message.audio for message in chat.prompt("typed")] == [None] * 4
    chat.said(2, "typed")
    assert [message.audio for message in chat.prompt("")] == [None] * 4
    chat.said(3, SPOKEN, AUDIO)
    joined = chat.prompt("", turn=4)[-1]
    assert (joined.content, joined.audio) == (f"typed\n{SPOKEN}", AUDIO), "one message"


def test_a_server_gets_it_as_a_wav_file() -> None:
    with ChatServer() as server:
        model = OpenAIChatModel("m", server.base_url)
        list(model.generate([ChatMessage("user", SPOKEN, audio=AUDIO)], CancelToken()))
        model.close()
    ((text, sound),) = (message["content"] for message in server.requests[0]["messages"])
    assert text == {"type": "text", "text": SPOKEN}
    assert (sound["type"], sound["input_audio"]["format"]) == ("input_audio", "wav")
    wav, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(sound["input_audio"]["data"])))
    assert rate_hz == 16000
    assert np.abs(wav - AUDIO.samples).max() < 1 / 16000


@pytest.fixture
def question(tmp_path: Path) -> tuple[str, ...]:
    """The flags of a conversation without a recognizer."""
    recording = tmp_path / "question.wav"
    soundfile.write(recording, np.concatenate((silence(300), spoken("How do you do?"))), RATE_HZ)
    files = ("--input", str(recording), "--output", str(tmp_path / "reply.wav"))
    return ("--mode", "file", "--stt", "none", *files)


def test_the_command_with_a_server_that_hears(question: tuple[str, ...]) -> None:
    with ChatServer() as server:
        ended = run(*question, "--llm", "openai", "--llm_base_url", server.base_url)
    assert ended.returncode == 0, ended.stderr
    assert f"you: {SPOKEN}" in ended.stdout
    assert f"machine: {server.reply.split('.')[0]}" in ended.stdout
    (_, sound) = server.requests[-1]["messages"][-1]["content"]
    assert len(base64.b64decode(sound["input_audio"]["data"])) > 16000


def test_a_model_that_does_not_hear_is_told_at_the_start(question: tuple[str, ...]) -> None:
    ended = run(*question, "--llm", "eliza", "--tts", "espeak")
    assert ended.returncode == 2
    assert "--stt none: expected a language model that hears, such as --llm openai" in ended.stderr
    assert "got eliza" in ended.stderr
