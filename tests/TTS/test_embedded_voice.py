"""The built-in English voice, understood by the real recognizer."""

import os
from pathlib import Path

import numpy as np
import pytest
from jiwer import wer

pytest.importorskip("piper", reason="no wheel for this machine")
pytest.importorskip("moonshine_voice", reason="no wheel for this machine")

from catalog.weights import FETCH, JOE, JOE_SETTINGS
from command_line.parse import parse_command_line
from engines.loader import load_engine
from engines.spoken_forms import SpokenForms
from pipeline.audio import resample
from pipeline.errors import UserError
from pipeline.loudness import SPEECH_RMS, loudness
from pipeline.messages import AudioChunk, Notice, Samples
from pipeline.turn import CancelToken
from STT.moonshine import MoonshineRecognizer
from testing.contracts import SynthesizerContract
from tests.speech import RATE_HZ, share_heard, words
from TTS.base import Synthesizer
from TTS.piper import EMBEDDED_VOICE, PiperSynthesizer

if not (JOE.there and JOE_SETTINGS.there):
    pytest.skip(f"the files of the voice are not here; type: {FETCH}", allow_module_level=True)

SENTENCES = (
    "Hello, how can I help you today?",
    "Turn on the kitchen lights and set a timer for ten minutes.",
    "I would love to, but it is late.",
    "Please open the door and close the window.",
    "It rains a lot in the spring, and the summer is warm.",
    "My brother works in a hospital near the station.",
    "Dr. Smith and Mrs. Jones are here.",
    "PLEASE STOP IT RIGHT NOW.",
    "Wait... what did you say?",
)
LONG = "and then there was another one " * 300


@pytest.fixture(scope="module")
def voice() -> PiperSynthesizer:
    return PiperSynthesizer()


@pytest.fixture(scope="module")
def recognizer() -> MoonshineRecognizer:
    return MoonshineRecognizer()


class TestJoe(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, voice: PiperSynthesizer) -> PiperSynthesizer:
        return voice


def say(engine: Synthesizer, text: str) -> list[AudioChunk]:
    speech = engine.synthesize(text, None, None, CancelToken())
    return [output for output in speech if not isinstance(output, Notice)]


def heard(recognizer: MoonshineRecognizer, chunks: list[AudioChunk]) -> str:
    samples: Samples = np.concatenate([chunk.samples for chunk in chunks])
    samples = resample(samples, chunks[0].sample_rate_hz, RATE_HZ)
    return recognizer.transcribe(samples, None, CancelToken()).text


def best_heard(recognizer: MoonshineRecognizer, engine: Synthesizer, text: str, expected: str) -> str:
    """The transcript with most of the `expected` words, of three: the voice speaks differently each
    time, and the recognizer mishears some of its words."""
    transcripts = [heard(recognizer, say(engine, text)) for _ in range(3)]
    return max(transcripts, key=lambda transcript: share_heard(expected, transcript))


def test_it_is_what_english_gets_without_a_name(voice: PiperSynthesizer) -> None:
    assert voice.info.model == EMBEDDED_VOICE
    assert voice.info.languages == ("en",)


def test_its_words_are_understood(voice: PiperSynthesizer, recognizer: MoonshineRecognizer) -> None:
    """0.03 of the words were wrong in 46 sentences; 0.19 of eSpeak's."""
    expected = [" ".join(words(text)) for text in SENTENCES]
    got = [" ".join(words(heard(recognizer, say(voice, text)))) for text in SENTENCES]
    assert wer(expected, got) < 0.1, got


def test_amounts_and_times_are_read_as_they_are_said(
    voice: PiperSynthesizer, recognizer: MoonshineRecognizer
) -> None:
    expected = "three dollars and fifty cents twelve thirty"
    text = best_heard(
        recognizer, SpokenForms(voice), "It costs $3.50, and the shop opens at 12:30.", expected
    )
    assert share_heard(expected, text) == 1, text


def test_a_title_is_no_end_of_a_sentence(voice: PiperSynthesizer) -> None:
    with_dots, without = (
        sum(len(chunk.samples) for chunk in say(voice, text))
        for text in ("Dr. Smith and Mrs. Jones are here.", "Doctor Smith and Missis Jones are here.")
    )
    assert with_dots < 1.2 * without, "a pause of 0.25 s after each"


def test_it_is_as_loud_as_other_voices_and_sentences_join_without_a_click(
    voice: PiperSynthesizer,
) -> None:
    voice.warm_up()
    rate_hz, levels = voice.info.sample_rate_hz, []
    for text in SENTENCES:
        samples = np.concatenate([chunk.samples for chunk in say(voice, text)])
        levels.append(loudness(samples, rate_hz))
        assert np.abs(samples).max() < 1
        assert abs(samples.mean()) < 0.002
        assert np.abs(samples[[0, -1]]).max() < 0.01
    assert np.median(levels) == pytest.approx(SPEECH_RMS, rel=0.2)
    assert min(levels) > SPEECH_RMS / 2, "said more softly, but heard"
    assert max(levels) < 2 * SPEECH_RMS


def test_a_sentence_is_heard_before_it_is_computed(voice: PiperSynthesizer) -> None:
    voice.warm_up()
    pieces = say(voice, SENTENCES[0])
    assert len(pieces) > 1
    assert len(pieces[0].samples) < voice.info.sample_rate_hz / 2


def test_a_long_text_comes_in_pieces_and_stops_between_them(voice: PiperSynthesizer) -> None:
    cancel = CancelToken()
    speech = voice.synthesize(LONG, None, None, cancel)
    assert len(next(speech).samples) < voice.info.sample_rate_hz
    cancel.cancel()
    assert list(speech) == []


def test_another_script_in_an_english_sentence_is_no_letter(recognizer: MoonshineRecognizer) -> None:
    engine = load_engine(parse_command_line(["--tts", "piper"]), "tts")
    said = "The word for hello is こんにちは, or नमस्ते in Hindi."
    text = best_heard(recognizer, engine, said, "the word for hello is or")
    assert share_heard("the word for hello is or", text) == 1, text
    assert "letter" not in text.lower()
    assert "na" in text.lower(), "namaste"
    chunks = say(engine, said)
    assert sum(len(chunk.samples) for chunk in chunks) < 5 * chunks[0].sample_rate_hz


class TestBroken:
    """The files are there and have the right size, but their content is not a voice."""

    @pytest.fixture(autouse=True, params=["weights", "settings"])
    @staticmethod
    def files(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        weights, settings = JOE.path, JOE_SETTINGS.path
        monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
        broken, whole = (
            (JOE, (JOE_SETTINGS, settings))
            if request.param == "weights"
            else (JOE_SETTINGS, (JOE, weights))
        )
        broken.path.parent.mkdir()
        broken.path.touch()
        os.truncate(broken.path, broken.size)
        whole[0].path.symlink_to(whole[1])

    def test_espeak_speaks_where_nothing_was_chosen(self, capsys: pytest.CaptureFixture[str]) -> None:
        engine = load_engine(parse_command_line([]), "tts")
        assert engine.info.name == "espeak"
        assert say(engine, "Hello.")
        (told,) = [line for line in capsys.readouterr().err.splitlines() if "piper" in line]
        assert told.startswith(f"  piper is left out: --tts_voice: the voice {EMBEDDED_VOICE}")
        assert told.endswith(f"delete {JOE.path.parent} and type: {FETCH}")

    def test_by_name_it_is_an_error(self) -> None:
        with pytest.raises(UserError, match="does not load") as caught:
            load_engine(parse_command_line(["--tts", "piper"]), "tts")
        assert FETCH in str(caught.value)
