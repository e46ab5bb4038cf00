"""Written forms on their way to a synthesizer; eSpeak is the real one."""

from collections.abc import Iterator

import pytest

from command_line.parse import parse_command_line
from engines.loader import load_engine
from engines.spoken_forms import SpokenForms
from pipeline.engine_info import SynthesizerInfo
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedSynthesizer
from testing.speech_server import SpeechServer
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer

TEXT = "It costs $49.95 now."
WORDS = "It costs 49 dollars and 95 cents now."


class TestContract(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Synthesizer:
        return SpokenForms(EspeakSynthesizer(), usual_language="en")


def say(
    engine: Synthesizer, text: str, voice: str | None = None, language: str | None = None
) -> AudioChunk:
    (chunk,) = engine.synthesize(text, voice, language, CancelToken())
    assert isinstance(chunk, AudioChunk)
    return chunk


class Speaking(ScriptedSynthesizer):
    """The scripted synthesizer of a conversation, with written forms in words."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = ScriptedSynthesizer()
        self._forms = SpokenForms(self.inner)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        for output in self._forms.synthesize(text, voice, language, cancel):
            assert isinstance(output, AudioChunk)
            yield output


def test_the_voice_gets_the_words_and_the_transcript_what_was_written() -> None:
    tts = Speaking()
    with Conversation(tts=tts, llm=ScriptedModel(TEXT)) as talk:
        talk.ask()
        done = talk.until_done(1)
    assert tts.inner.spoken == [WORDS]
    assert done.heard == TEXT


def test_words_are_timed_in_what_was_written() -> None:
    chunk = say(SpokenForms(EspeakSynthesizer(), usual_language="en"), TEXT)
    places = list(dict.fromkeys(word.chars for word in chunk.words))
    assert [TEXT[place:] for place in places] == [TEXT, "costs $49.95 now.", "$49.95 now.", "now."]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("voice", "language", "words"),
    [
        (None, None, "5 kilometers"),
        (None, "de", "5 Kilometer"),
        ("fr-fr", "de", "5 kilomètres"),
        ("es+f3", None, "5 kilómetros"),
        (None, "xx", "5 km"),
    ],
)
def test_they_are_in_the_language_of_the_voice(
    voice: str | None, language: str | None, words: str
) -> None:
    tts = ScriptedSynthesizer()
    tts.info = SynthesizerInfo(
        name="two",
        sample_rate_hz=16000,
        languages=("en", "de"),
        voice_languages={"fr-fr": "fr", "es": "es"},
    )
    list(SpokenForms(tts, usual_language="en").synthesize("5 km", voice, language, CancelToken()))
    assert tts.spoken == [words]


@pytest.mark.parametrize(
    ("languages", "words"), [(("en",), "5 kilometers"), (("en", "de"), "5 km"), (("any",), "5 km")]
)
def test_of_a_synthesizer_without_a_setting_its_only_language_counts(
    languages: tuple[str, ...], words: str
) -> None:
    tts = ScriptedSynthesizer(languages=languages)
    list(SpokenForms(tts).synthesize("5 km", None, None, CancelToken()))
    assert tts.spoken == [words]


def test_the_chosen_voice_reads_them() -> None:
    """With eSpeak alone: written forms in words, foreign words in a voice of their own."""
    engine = load_engine(parse_command_line(["--tts", "espeak"]), "tts")
    plain = EspeakSynthesizer()
    lengths = [len(say(engine, "It is 5 km.").samples), len(say(plain, "It is 5 kilometers.").samples)]
    assert lengths[0] == pytest.approx(lengths[1], abs=10)
    outputs = [
        o
        for o in engine.synthesize("You say 你好.", None, None, CancelToken())
        if isinstance(o, AudioChunk)
    ]
    spelled = say(plain, "You say 你好.")
    assert len(outputs) == 2
    assert sum(len(chunk.samples) for chunk in outputs) < len(spelled.samples) * 0.7


def test_one_that_reads_them_itself_gets_what_was_written() -> None:
    with SpeechServer() as server:
        arguments = parse_command_line(["--tts", "openai", "--tts_base_url", server.base_url])
        engine = load_engine(arguments, "tts")
        list(engine.synthesize(TEXT, None, "en", CancelToken()))
        engine.close()
        assert server.requests[-1]["input"] == TEXT
