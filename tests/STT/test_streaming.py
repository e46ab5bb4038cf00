"""A streaming recognizer: each piece is computed once, and no turn's transcript changes because of
it."""

import itertools
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.events import ErrorEvent, PartialTranscript, SpeechEnded, Transcript
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings, SessionSettings
from testing.contracts import StreamingRecognizerContract, speech_like
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, LoudnessRecognizer, LoudnessStreamer, ScriptedModel
from tests.socket_clients import wait_for


def conversation(stt: LoudnessRecognizer, **settings: object) -> Conversation:
    talk = Conversation(stt=stt, endpointing=EndpointerSettings(), **settings)  # type: ignore[arg-type]
    talk._mail = talk.session.events.subscribe(live=(PartialTranscript,))
    return talk


def transcripts(talk: Conversation) -> list[str]:
    return [event.text for event in talk.events() if isinstance(event, Transcript)]


def partials(talk: Conversation) -> list[str]:
    return [event.text for event in talk.events() if isinstance(event, PartialTranscript)]


@pytest.mark.parametrize("forks", [True, False])
class TestTheFake(StreamingRecognizerContract):
    @pytest.fixture
    def engine(self, forks: bool) -> LoudnessStreamer:
        return LoudnessStreamer(forks=forks)

    @pytest.fixture
    def spoken(self) -> Samples:
        louder = np.linspace(0.1, 1, 2 * RATE_HZ + 777, dtype=np.float32)
        return louder * np.sign(speech_like(RATE_HZ, 3.0)[: len(louder)])


# -- while the user speaks -------------------------------------------------------------------------


def test_little_is_left_when_the_user_has_finished() -> None:
    with conversation(LoudnessStreamer()) as talk:
        talk.speak(1000, level=0.2)
        talk.speak(1000, level=0.7)
        assert sum(talk.stt.fed) > 0.85 * 2 * RATE_HZ, "while they spoke"
        before = len(talk.stt.fed)
        talk.wait(640)
        (text,) = transcripts(talk)
        assert sum(talk.stt.fed[before:]) <= talk.stt.info.chunk_samples + 0.1 * RATE_HZ
        assert talk.stt.opened == [None]
        assert not talk.stt.heard, "and not a second time all at once"
        words = text.split()
        assert words.count("20") == pytest.approx(10, abs=1)
        assert words.count("70") == pytest.approx(10, abs=1)


def test_partials_come_as_it_is_said_and_only_grow() -> None:
    with conversation(LoudnessStreamer()) as talk:
        for _ in range(10):  # the mailbox keeps the latest
            talk.speak(200)
            partials(talk)
        shown = partials(talk)
        assert len(shown) >= 8
        assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(shown))
        talk.wait(640)
        assert transcripts(talk)[0].startswith(partials(talk)[-1])
        stable = [event.stable_chars for event in talk.events() if isinstance(event, PartialTranscript)]
        assert stable == [len(text) for text in partials(talk)]


def test_a_slot_is_taken_only_to_compute() -> None:
    with conversation(LoudnessStreamer(slots=1)) as talk:
        talk.speak(2000)
        assert talk.shared_stt.idle_slots == 1
        talk.wait(64)
        assert talk.shared_stt.idle_slots == 1


def test_the_next_utterance_begins_anew() -> None:
    with conversation(LoudnessStreamer(), llm=ScriptedModel("Yes.")) as talk:
        for level in (0.2, 0.7):
            talk.speak(1000, level=level)
            talk.wait(3000)
        first, second = transcripts(talk)
        assert "70" not in first
        assert "20" not in second
        assert sum(talk.stt.fed) < 2 * 1.5 * RATE_HZ, "and answered audio is not recognized again"


def test_the_language_that_is_spoken_is_told() -> None:
    with conversation(LoudnessStreamer(), settings=SessionSettings(language="fr")) as talk:
        talk.speak(1000)
        talk.wait(640)
        assert talk.stt.opened == ["fr"]
        assert talk.events(Transcript)[0].language == "fr"


# -- users who go on speaking ----------------------------------------------------------------------


@pytest.mark.parametrize("forks", [True, False])
def test_who_goes_on_is_heard_whole(forks: bool) -> None:
    """With a copy of the stream nothing is computed twice; without one, the part before the pause is."""
    with conversation(LoudnessStreamer(forks=forks)) as talk:
        talk.speak(1000, level=0.2)
        talk.wait(256)
        talk.speak(1000, level=0.7)
        talk.wait(640)
        (text,) = transcripts(talk)
        assert {"20", "70", ","} <= set(text.split())
        assert len(talk.stt.opened) == (1 if forks else 2)
        assert not talk.stt.heard
        said_s = 1 + 0.256 + 1 + 0.1
        again_s = 0.3 if forks else 1 + 0.1
        assert sum(talk.stt.fed) / RATE_HZ == pytest.approx(said_s + again_s, abs=0.4)


def test_a_stream_is_copied_at_another_rate_too() -> None:
    stt = LoudnessStreamer()
    stt.info = replace(stt.info, sample_rate_hz=RATE_HZ // 2)
    with conversation(stt) as talk:
        talk.speak(1000, level=0.2)
        talk.wait(256)
        talk.speak(1000, level=0.7)
        talk.wait(640)
        assert {"20", "70"} <= set(transcripts(talk)[-1].split())
        assert len(stt.opened) == 1


@pytest.mark.parametrize("forks", [True, False])
def test_who_goes_on_before_the_answer_is_heard_whole(forks: bool) -> None:
    """The turn was committed, but none of its answer had been heard."""
    with conversation(LoudnessStreamer(forks=forks)) as talk:
        talk.llm.hold.close()
        talk.speak(1000, level=0.2, settle=False)
        talk.wait(640, settle=False)
        talk.llm.hold.wait_until_reached()
        wait_for(lambda: bool(talk.events(SpeechEnded)), "the end of the utterance")
        talk.speak(1000, level=0.7, settle=False)
        wait_for(lambda: talk.done(1), "the first turn to be taken back")
        talk.llm.hold.open()
        talk.wait(640)
        assert talk.done(1)[0].state == "dropped"
        assert {"20", "70", ","} <= set(transcripts(talk)[-1].split())


@pytest.mark.parametrize("forks", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_said_is_heard_as_if_at_once(seed: int, forks: bool) -> None:
    """Compare a recognizer that streams with one that does not, for the same user."""
    heard = []
    for stt in (LoudnessStreamer(forks=forks), LoudnessRecognizer()):
        chance = random.Random(seed)
        with conversation(stt, llm=ScriptedModel("Yes.")) as talk:
            for _ in range(12):
                talk.speak(chance.randrange(64, 1500), level=chance.choice((0.1, 0.3, 0.6, 0.9)))
                talk.wait(chance.choice((64, 128, 256, 400, 700, 2500)))
            talk.wait(1000)
            heard.append(transcripts(talk))
    assert heard[0] == heard[1]
    assert heard[0]


# -- faults ----------------------------------------------------------------------------------------


def test_a_stream_that_fails_is_not_missed() -> None:
    with conversation(LoudnessStreamer()) as talk:
        talk.stt.error = ValueError("broken")
        talk.speak(1500)
        assert len(talk.stt.fed) == 1, "it is not retried"
        talk.wait(640)
        assert len(transcripts(talk)) == len(talk.stt.heard) == 1
        assert not talk.events(ErrorEvent)


def test_a_busy_recognizer_hears_later_what_was_said_meanwhile() -> None:
    with conversation(LoudnessStreamer()) as talk:
        talk.stt.hold.close()
        talk.speak(640, settle=False)
        talk.stt.hold.wait_until_reached()
        talk.speak(640, settle=False)
        talk.wait(640, settle=False)
        wait_for(lambda: bool(talk.events(SpeechEnded)), "the end of the utterance")
        assert len(talk.stt.fed) == 1, "one call at a time"
        talk.stt.hold.open()
        talk.settle()
        (text,) = transcripts(talk)
        assert text.split().count("50") == pytest.approx(13, abs=1)
        assert not partials(talk), "the partial came after the end of the utterance"


def test_a_call_that_never_returns_is_given_up_with_its_turn() -> None:
    with conversation(LoudnessStreamer(slots=2)) as talk:
        talk.speak(640)
        talk.stt.hold.close()
        talk.wait(160, settle=False)
        talk.stt.hold.wait_until_reached()
        talk.session.interrupt("enough")
        talk.stt.hold.open()
        talk.settle()
        talk.wait(1000)
        talk.speak(640)
        talk.wait(640)
        assert transcripts(talk)


# -- the real command ------------------------------------------------------------------------------


def test_the_command_with_a_streaming_model(tmp_path: Path) -> None:
    """Tiny random weights: the words are noise, but the same as without streaming."""
    pytest.importorskip("torch", reason="pip install -e '.[nemotron]'")
    import json

    import soundfile

    from testing.tiny_recognizers import tiny_nemotron
    from tests.command import run
    from tests.speech import silence, spoken

    folder = tiny_nemotron(tmp_path / "nemotron")
    question = np.concatenate((silence(300), spoken("What is the weather in London?"), silence(1500)))
    soundfile.write(tmp_path / "question.wav", question, RATE_HZ)
    reply = tmp_path / "reply.wav"
    ended = run(
        *("--mode", "file", "--input", str(tmp_path / "question.wav"), "--output", str(reply)),
        *(
            "--llm",
            "eliza",
            "--tts",
            "espeak",
            "--stt",
            "nemotron",
            "--stt_model_name",
            str(folder),
            "--device",
            "cpu",
        ),
        *("--stt_latency_ms", "160", "--json_events"),
    )
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    shown = [event["text"] for event in events if event["event"] == "PartialTranscript"]
    (turn,) = json.loads(reply.with_suffix(".transcript.json").read_text("utf-8"))["turns"]
    assert len(shown) > 3
    assert turn["user_text"].startswith(shown[-1])
    assert turn["state"] == "done"
    assert "Ears   nemotron" in ended.stderr
