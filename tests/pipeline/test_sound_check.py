"""Sound that no working engine makes is an error, is not heard, and does not count as an answer."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from engines.failover_responder import FailoverResponder
from engines.failover_synthesizer import FailoverSynthesizer
from pipeline.errors import BadAudio
from pipeline.events import ErrorEvent, NoticeGiven, ReplyStarted
from pipeline.messages import AudioChunk, Notice, Samples
from pipeline.settings import SessionSettings
from pipeline.sound_check import SoundCheck
from pipeline.turn import CancelToken
from S2S.base import Question, SpokenPiece, UserWords
from S2S.tone import ToneResponder
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, ScriptedModel, ScriptedSynthesizer
from testing.hold import Hold
from testing.scripted_responder import ScriptedResponder
from testing.server import ScriptedWebServer
from tests.realtime_client import RealtimeClient

SENTENCE = "Is anybody there?"


def tone(seconds: float, peak: float = 0.3) -> Samples:
    """A tone, which is sound."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)


def noise(seconds: float, rms: float) -> Samples:
    """White noise."""
    return np.random.default_rng(3).normal(0, rms, int(seconds * RATE_HZ)).astype(np.float32)


def level(seconds: float, value: float) -> Samples:
    """A constant."""
    return np.full(int(seconds * RATE_HZ), value, np.float32)


def with_sample(samples: Samples, at: int, value: float) -> Samples:
    """The samples with one of them changed."""
    samples = samples.copy()
    samples[at] = value
    return samples


def fading(samples: Samples) -> Samples:
    """The samples, faded out to nothing."""
    return samples * np.linspace(1, 0, len(samples), dtype=np.float32)


def joined(*parts: Samples) -> Samples:
    """The parts one after another."""
    return np.concatenate(parts)


NUMBERS, SILENCE, CONSTANT, CLIPPED = "not numbers", "silence", "a constant", "clipped throughout"

BAD: dict[str, tuple[str, Callable[[], Samples]]] = {
    "all NaN": (NUMBERS, lambda: level(1, np.nan)),
    "one NaN": (NUMBERS, lambda: with_sample(tone(1), 9, np.nan)),
    "one infinity": (NUMBERS, lambda: with_sample(tone(1), 9, np.inf)),
    "one negative infinity": (NUMBERS, lambda: with_sample(tone(1), 9, -np.inf)),
    "zeros": (SILENCE, lambda: level(1, 0)),
    "the noise of 16 bits": (SILENCE, lambda: noise(1, 1e-4)),
    "silence with an offset": (SILENCE, lambda: level(1, 0.01)),
    "silence after a click": (SILENCE, lambda: with_sample(level(1, 0), 0, 0.5)),
    "silence between clicks": (SILENCE, lambda: with_sample(with_sample(level(1, 0), 0, 1), -1, 1)),
    "one sample": (SILENCE, lambda: level(1 / RATE_HZ, 0.3)),
    "a tone that nobody hears": (SILENCE, lambda: tone(1, 0.0005)),
    "a constant": (CONSTANT, lambda: level(1, 0.5)),
    "a negative constant": (CONSTANT, lambda: level(1, -0.25)),
    "a constant at full scale": (CLIPPED, lambda: level(1, 1.0)),
    "a constant with a little noise": (CONSTANT, lambda: level(1, 0.5) + noise(1, 1e-4)),
    "a square wave": (CLIPPED, lambda: np.sign(tone(1))),
    "random signs": (CLIPPED, lambda: np.sign(noise(1, 0.1))),
    "a short square wave": (CLIPPED, lambda: np.sign(tone(0.2))),
    "a tone in the range of 16 bits": (CLIPPED, lambda: 32767 * tone(1)),
    "noise far over full scale": (CLIPPED, lambda: noise(2, 10)),
    "noise that is cut off": (CLIPPED, lambda: noise(2, 10).clip(-1, 1)),
}

GOOD: dict[str, Callable[[], Samples]] = {
    "a tone": lambda: tone(1),
    "a tone at full scale": lambda: tone(1, 1.0),
    "a short tone": lambda: tone(0.1),
    "a whisper": lambda: noise(1, 0.003),
    "silence, then a tone": lambda: joined(level(8, 0), tone(0.2)),
    "a tone, then silence": lambda: joined(tone(0.2), level(8, 0)),
    "a tone that fades": lambda: fading(tone(2)),
    "a tone with an offset": lambda: tone(1) + np.float32(0.1),
    "a tone 12 dB over full scale for a moment": lambda: joined(tone(1), np.sign(tone(0.3)), tone(1)),
    "noise": lambda: noise(1, 0.1),
}

CUTS = {"in one piece": 10**9, "in pieces of 80 ms": 1280, "in pieces of 7 samples": 7}


class Says(ScriptedSynthesizer):
    """Makes the sound given for a text, in pieces; for others a tone."""

    def __init__(self, piece: int, **sounds: Samples) -> None:
        super().__init__(block_ms=1000)
        self.tone = 0.3
        self._piece, self._sounds = piece, {f"{word}.": sound for word, sound in sounds.items()}

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        if (sound := self._sounds.get(text)) is None:
            yield from super().synthesize(text * 9, voice, language, cancel)
            return
        for start in range(0, len(sound), self._piece):
            yield AudioChunk(sound[start : start + self._piece], RATE_HZ)


def judged(samples: Samples, rate_hz: int = RATE_HZ, piece: int = 10**9) -> str:
    """The fault found in one text; empty: none."""
    check = SoundCheck("made-up")
    check.text_begins(SENTENCE)
    try:
        for start in range(0, len(samples), piece):
            check.take(samples[start : start + piece], rate_hz)
        check.text_ends()
    except BadAudio as fault:
        return f"{fault.code}: {fault}"
    return ""


@pytest.mark.parametrize("piece", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize(("why", "sound"), BAD.values(), ids=BAD)
def test_bad_sound_is_found_however_it_is_cut(
    why: str, sound: Callable[[], Samples], piece: int
) -> None:
    fault = judged(sound(), piece=piece)
    assert "from made-up, got" in fault
    assert why in fault


@pytest.mark.parametrize("piece", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("sound", GOOD.values(), ids=GOOD)
def test_good_sound_passes_in_pieces_of_any_size(sound: Callable[[], Samples], piece: int) -> None:
    assert judged(sound(), piece=piece) == ""


@pytest.mark.parametrize("samples", [level(3600, 0), level(3600, 0.5)], ids=["silence", "constant"])
def test_the_end_of_an_hour_is_not_awaited(samples: Samples) -> None:
    check, piece = SoundCheck("made-up"), 1280

    def listen() -> None:
        for start in range(0, 11 * RATE_HZ, piece):
            check.take(samples[start : start + piece], RATE_HZ)

    with pytest.raises(BadAudio):
        listen()


def test_an_hour_of_good_sound_keeps_no_audio() -> None:
    check, second = SoundCheck("made-up"), tone(1)
    for _ in range(3600):
        check.take(second[:-1], RATE_HZ)
    assert len(check._rest) < RATE_HZ * 0.02
    check.text_ends()


def test_a_text_without_words_may_be_silent() -> None:
    check = SoundCheck("made-up")
    check.text_begins("...")
    check.take(level(1, 0), RATE_HZ)
    check.text_ends()


def test_a_model_that_listens_may_be_silent_but_not_broken() -> None:
    check = SoundCheck("made-up", may_rest=True)
    for _ in range(60):
        check.take(level(1, 0), RATE_HZ)
    for bad in (level(1, np.nan), np.sign(tone(1.1)), level(1.1, 0.5)):
        with pytest.raises(BadAudio):
            check.take(bad, RATE_HZ)
        check.take(tone(1), RATE_HZ)


# -- through a session -----------------------------------------------------------------------------


def assert_refused(talk: Conversation, stage: str, name: str, why: str) -> None:
    """The first turn failed because of the engine's sound, and nothing loud of it was heard."""
    done = talk.until_done(1)
    (error,) = talk.events(ErrorEvent)
    assert (error.turn, error.stage, error.code) == (1, stage, "bad_audio")
    assert name in error.text
    assert why in error.text
    assert (done.heard, done.reason) == ("", f"{stage} failed")
    loud = np.count_nonzero(np.abs(talk.sink.audio(1)) > 0.9)
    assert loud < 10  # single clicks
    remembered = [message.content for message in talk.chat.prompt("") if message.role == "assistant"]
    assert "".join(remembered) == ""


@pytest.mark.parametrize("piece", [10**9, 1280], ids=["in one piece", "in pieces of 80 ms"])
@pytest.mark.parametrize(("why", "sound"), BAD.values(), ids=BAD)
def test_a_bad_sentence_fails_the_turn_and_the_next_one_works(
    why: str, sound: Callable[[], Samples], piece: int
) -> None:
    tts = Says(piece, Bad=sound())
    llm = ScriptedModel("Bad. Another sentence.", "Good.")
    with Conversation(llm=llm, tts=tts, check_sound=True) as talk:
        talk.ask()
        assert_refused(talk, "tts", "scripted-tts", why)
        talk.ask()
        assert talk.until_done(2).heard == "Good."
        assert len(talk.events(ErrorEvent)) == 1


@pytest.mark.parametrize(("why", "sound"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("text", [None, "Bad."])
def test_a_bad_answer_of_an_end_to_end_engine_fails_the_turn(
    why: str, sound: Callable[[], Samples], text: str | None
) -> None:
    bad, good = (SpokenPiece(AudioChunk(s, RATE_HZ), text) for s in (sound(), tone(1)))
    with Conversation(s2s=ScriptedResponder([bad], [good]), check_sound=True) as talk:
        talk.ask()
        assert_refused(talk, "s2s", "scripted-s2s", why)
        talk.ask()
        assert talk.until_done(2).heard == (text or "")
        assert len(talk.events(ErrorEvent)) == 1


@pytest.mark.parametrize("sound", GOOD.values(), ids=GOOD)
def test_a_good_answer_is_heard_whole(sound: Callable[[], Samples]) -> None:
    with Conversation(
        llm=ScriptedModel("Fine."), tts=Says(1280, Fine=sound()), check_sound=True
    ) as talk:
        talk.ask()
        assert talk.until_done(1).heard == "Fine."
        assert talk.events(ErrorEvent) == []
        assert len(talk.sink.audio(1)) >= len(sound()) - RATE_HZ // 2  # less the silence before it


@pytest.mark.parametrize(("why", "sound"), BAD.values(), ids=BAD)
def test_the_good_part_before_is_spoken_and_remembered(why: str, sound: Callable[[], Samples]) -> None:
    llm = ScriptedModel("Fine. Bad. And then some more.")
    with Conversation(llm=llm, tts=Says(10**9, Bad=sound()), check_sound=True) as talk:
        talk.ask()
        done = talk.until_done(1)
        (error,) = talk.events(ErrorEvent)
        assert error.code == "bad_audio"
        assert done.heard == "Fine."
        loud = np.flatnonzero(np.abs(talk.sink.audio(1)) > 0.1)
        assert len(talk.sink.audio(1)[: loud[-1]]) < RATE_HZ  # 5 characters, nine times, 10 ms each


def test_bad_sound_in_mid_sentence_leaves_the_words_before_it() -> None:
    text = "This is a long sentence that breaks off in the middle of it"
    tts = Says(1280, **{text: joined(tone(3), level(3, np.nan))})
    with Conversation(llm=ScriptedModel(f"{text}."), tts=tts, check_sound=True) as talk:
        talk.ask()
        heard = talk.until_done(1).heard
        assert heard
        assert f"{text}.".startswith(heard)
        assert len(heard) < len(text)
        assert np.isfinite(talk.sink.audio(1)).all()


def test_nothing_starts_if_the_first_piece_is_bad() -> None:
    with Conversation(
        tts=Says(10**9, One=level(1, np.nan)), llm=ScriptedModel("One."), check_sound=True
    ) as t:
        t.ask()
        t.until_done(1)
        assert t.events(ReplyStarted) == []
        assert len(t.sink.audio()) == 0


def test_an_answer_that_is_not_spoken_has_no_sound_to_check() -> None:
    tts, settings = Says(10**9, One=level(1, np.nan)), SessionSettings(spoken=False)
    with Conversation(llm=ScriptedModel("One."), tts=tts, settings=settings, check_sound=True) as talk:
        talk.ask()
        assert talk.until_done(1).heard == "One."
        assert talk.events(ErrorEvent) == []


def test_the_tone_passes() -> None:
    with Conversation(s2s=ToneResponder(), check_sound=True) as talk:
        talk.ask()
        assert talk.until_done(1).heard == "TEST TONE"
        assert talk.events(ErrorEvent) == []


def test_a_client_is_told_that_the_response_failed() -> None:
    with ScriptedWebServer(check_sound=True) as server:
        server.tts.synthesize = Says(1280, Bad=level(1, 0)).synthesize  # type: ignore[method-assign]
        server.llm._replies = ["Bad.", "Good."]
        with RealtimeClient(server.port) as client:
            client.until("session.created")
            for status in ("failed", "completed"):
                client.ask()
                assert client.until("response.done").response.status == status


# -- failover --------------------------------------------------------------------------------------


def named(name: str, **sounds: Samples) -> Says:
    """One of two engines."""
    engine = Says(1280, **sounds)
    engine.info = replace(engine.info, name=name)
    return engine


@pytest.mark.parametrize(("why", "sound"), BAD.values(), ids=BAD)
def test_bad_sound_before_any_other_is_the_next_ones_turn(
    why: str, sound: Callable[[], Samples]
) -> None:
    tts = FailoverSynthesizer([named("one", Bad=joined(level(0.1, 0), sound())), named("two")], 30.0)
    results = list(tts.synthesize("Bad.", None, None, CancelToken()))
    (notice,) = (result for result in results if isinstance(result, Notice))
    assert notice.code == "failover"
    chunks = [result.samples for result in results if isinstance(result, AudioChunk)]
    assert judged(np.concatenate(chunks)) == ""


def test_a_session_hears_the_next_engine_in_the_place_of_a_silent_one() -> None:
    tts = FailoverSynthesizer([named("one", Bad=level(1, 0)), named("two")], 30.0)
    tts.hold = Hold()  # type: ignore[attr-defined]
    with Conversation(llm=ScriptedModel("Bad."), tts=tts, check_sound=True) as talk:  # type: ignore[arg-type]
        talk.ask()
        assert talk.until_done(1).heard == "Bad."
        assert [notice.code for notice in talk.events(NoticeGiven)] == ["failover"]
        assert talk.events(ErrorEvent) == []


@pytest.mark.parametrize(("why", "sound"), BAD.values(), ids=BAD)
def test_bad_sound_of_an_end_to_end_engine_is_the_next_ones_turn(
    why: str, sound: Callable[[], Samples]
) -> None:
    first, second = (
        ScriptedResponder([UserWords("words"), SpokenPiece(AudioChunk(samples, RATE_HZ), "Fine.")])
        for samples in (joined(level(0.1, 0), sound()), tone(1))
    )
    second.info = replace(second.info, name="second")
    question = Question(tone(1), SessionSettings())
    notice, heard, piece = FailoverResponder([first, second], 30.0).respond(question, CancelToken())
    assert isinstance(notice, Notice)
    assert why in notice.text
    assert heard == UserWords("words")
    assert isinstance(piece, SpokenPiece)
    assert judged(piece.audio.samples) == ""
