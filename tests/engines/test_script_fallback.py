"""Words in another script than that of the language; eSpeak is the real one."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from command_line.parse import parse_command_line
from engines.loader import load_engine
from engines.script_fallback import MAX_RUNS, ScriptFallback
from pipeline.engine_info import SynthesizerInfo
from pipeline.loudness import loudness
from pipeline.messages import AudioChunk, Notice, WordTime
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer

RATE_HZ = 24000
SENTENCE = "The word for hello is こんにちは, or नमस्ते in Hindi."


class English:
    """Says 50 ms of noise for each character, between 200 ms of silence; tells its words or not."""

    info = SynthesizerInfo(name="english", sample_rate_hz=RATE_HZ, languages=("en",))

    def __init__(self, rms: float = 0.05, timed: bool = False) -> None:
        self.said: list[str] = []
        self._rms, self._timed = rms, timed

    def expect_voice(self, voice: str) -> None:
        raise NotImplementedError

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        self.said.append(text)
        quiet = np.zeros(RATE_HZ // 5, np.float32)
        sound = np.random.default_rng(0).normal(0, self._rms, RATE_HZ // 20 * len(text))
        yield AudioChunk(
            np.concatenate([quiet, sound.astype(np.float32), quiet]),
            RATE_HZ,
            (WordTime(0, len(quiet)),) if self._timed else (),
        )

    def close(self) -> None:
        """Nothing to free."""


def fallback(english: English) -> ScriptFallback:
    return ScriptFallback(english, EspeakSynthesizer)


def say(engine: Synthesizer, text: str, language: str | None = None) -> list[AudioChunk]:
    return [
        each
        for each in engine.synthesize(text, None, language, CancelToken())
        if not isinstance(each, Notice)
    ]


class TestContract(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Synthesizer:
        espeak = EspeakSynthesizer()
        return ScriptFallback(espeak, lambda: espeak, usual_language="en")


def test_each_run_is_said_by_who_can_read_it_at_one_rate_and_loudness() -> None:
    english = English()
    chunks = say(fallback(english), SENTENCE)
    assert english.said == ["The word for hello is ", "or ", "in Hindi."]
    assert len(chunks) == 5
    for chunk in chunks:
        assert chunk.sample_rate_hz == RATE_HZ
        assert loudness(chunk.samples, RATE_HZ) == pytest.approx(0.05, rel=0.2)
        assert chunk.words == ()


def test_what_is_foreign_is_not_spelled() -> None:
    """Spelled, five kana are "Japanese letter" five times, which takes five seconds."""
    spelled = say(EspeakSynthesizer(), "こんにちは")
    assert len(spelled[0].samples) > 3 * 22050
    (read,) = say(fallback(English()), "こんにちは")
    assert 0.5 < len(read.samples) / RATE_HZ < 1.5


def test_no_pause_of_a_sentence_is_left_between_two_voices() -> None:
    chunks = say(fallback(English()), "Water is 水.")
    assert len(chunks[0].samples) == RATE_HZ // 20 * len("Water is ") + RATE_HZ * 240 // 1000


def test_the_client_is_told() -> None:
    outputs = list(fallback(English()).synthesize(SENTENCE, None, None, CancelToken()))
    assert outputs[0] == Notice(
        "script_fallback", "espeak speaks the words in scripts that english cannot read"
    )
    assert sum(isinstance(each, Notice) for each in outputs) == 1


def test_word_times_are_kept_where_they_are_known() -> None:
    text = "Water is 水, yes."
    chunks = say(fallback(English(timed=True)), text)
    assert [[text[word.chars :][:5] for word in chunk.words] for chunk in chunks] == [
        ["Water"], ["水, ye"], ["yes."]
    ]  # fmt: skip
    assert chunks[2].words[0].sample == RATE_HZ * 40 // 1000, "the silence before it was cut"


@pytest.mark.parametrize("text", ["Hello.", "Café π 😀", "", "あa" * MAX_RUNS])
def test_what_is_its_own_or_is_no_sentence_goes_to_the_synthesizer(text: str) -> None:
    english = English()
    say(fallback(english), text)
    assert english.said == [text]


class Indian(English):
    info = SynthesizerInfo(
        name="indian",
        sample_rate_hz=RATE_HZ,
        languages=("en", "hi", "te"),
        voices=("te",),
        voice_languages={"te": "te"},
    )


@pytest.mark.parametrize(
    ("text", "voice", "language", "usual_voice", "own"),
    [
        ("नमस्ते", None, "hi", None, True),
        ("नमस्ते", None, "en", None, False),
        ("नमस्ते", None, None, "te", False),
        ("నమస్కారం", None, None, "te+rob", True),
        ("నమస్కారం", "te+rob", "en", None, True),
        ("నమస్కారం", None, None, None, True),
    ],
)
def test_the_voice_or_else_the_language_says_what_is_its_own(
    text: str, voice: str | None, language: str | None, usual_voice: str | None, own: bool
) -> None:
    indian = Indian()
    engine = ScriptFallback(indian, EspeakSynthesizer, usual_voice)
    list(engine.synthesize(text, voice, language, CancelToken()))
    assert indian.said == ([text] if own else [])


def test_one_that_mixes_its_languages_reads_all_their_scripts() -> None:
    indian = Indian()
    indian.info = replace(indian.info, mixes=True)
    say(fallback(indian), "నమస్కారం नमस्ते", "en")
    assert len(indian.said) == 1


@pytest.mark.parametrize(("language", "text"), [("ja", "日本語です"), ("ko", "漢字 입니다")])
def test_espeak_reads_han_as_chinese(language: str, text: str) -> None:
    """Its Japanese and Korean voices would say "Chinese letter"."""
    espeak = EspeakSynthesizer()
    spelled = sum(len(chunk.samples) for chunk in say(espeak, text, language))
    read = say(ScriptFallback(espeak, lambda: espeak), text, language)
    assert sum(len(chunk.samples) for chunk in read) < 0.7 * spelled


def test_cancelled_between_two_runs_the_next_is_not_said() -> None:
    english, cancel = English(), CancelToken()
    speech = fallback(english).synthesize(SENTENCE, None, None, cancel)
    next(speech)
    next(speech)
    cancel.cancel()
    assert list(speech) == []
    assert english.said == ["The word for hello is "]


@pytest.mark.parametrize("argv", [["--tts", "espeak"], ["--tts", "espeak", "--tts_voice", "en-gb+f3"]])
def test_the_command_gives_every_synthesizer_one(argv: list[str]) -> None:
    engine = load_engine(parse_command_line(argv), "tts")
    chunks = say(engine, SENTENCE)
    assert len(chunks) == 5
    assert sum(len(chunk.samples) for chunk in chunks) < 5 * 22050
