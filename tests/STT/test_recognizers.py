"""The real recognizers on real speech."""

from pathlib import Path

import numpy as np
import pytest
from jiwer import wer

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import RecognizerContract
from tests.speech import human, moonshine_asset, share_heard, silence, spoken, words

pytest.importorskip("moonshine_voice", reason="Moonshine has no wheel for this machine")

from STT.drafts import MAX_DRAFTS, Drafts
from STT.moonshine import MoonshineRecognizer
from STT.moonshine_model import MoonshineModel
from STT.pocketsphinx import PocketsphinxRecognizer

KENNEDY = (
    "And so my fellow Americans ask not what your country can do for you, "
    "ask what you can do for your country."
)
QUESTION = "What is the weather like in London today?"


class TestMoonshine(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> MoonshineRecognizer:
        return MoonshineRecognizer()

    @pytest.fixture
    def spoken(self) -> Samples:
        return spoken(QUESTION)

    def test_a_human_sentence_without_an_error(self, engine: MoonshineRecognizer) -> None:
        heard = engine.transcribe(human("jfk.flac"), None, CancelToken())
        assert words(heard.text) == words(KENNEDY)
        assert heard.language == "en"

    def test_a_minute_is_no_loop_of_one_phrase(self, engine: MoonshineRecognizer) -> None:
        reading = moonshine_asset("two_cities.wav")
        heard = words(engine.transcribe(reading, None, CancelToken()).text)
        assert 90 < len(heard) < 140
        assert heard[:6] == ["it", "was", "the", "best", "of", "times"]
        assert "superlative" in heard

    def test_digital_silence_has_no_words(self, engine: MoonshineRecognizer) -> None:
        """The model would write "You"."""
        assert engine.transcribe(silence(1000), None, CancelToken()).text == ""

    def test_noise_is_no_loop(self, engine: MoonshineRecognizer) -> None:
        """The model wrote "The first is" twenty times."""
        noise = np.random.default_rng(0).normal(0, 0.01, 10 * 16000).astype(np.float32)
        assert len(words(engine.transcribe(noise, None, CancelToken()).text)) < 8

    def test_quiet_speech_is_heard_as_well(self, engine: MoonshineRecognizer) -> None:
        """Measured: one word of 22 wrong; four, if it is not made louder."""
        quiet = human("jfk.flac") * np.float32(0.0005)
        heard = engine.transcribe(quiet, None, CancelToken()).text
        assert wer(" ".join(words(KENNEDY)), " ".join(words(heard))) < 0.1

    def test_an_utterance_that_grew_is_found_in_fewer_steps(
        self, engine: MoonshineRecognizer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Measured: 12 steps instead of 23."""
        audio = moonshine_asset("two_cities.wav")[: 6 * 16000]
        model, steps = engine._model, 0
        assert isinstance(model, MoonshineModel)
        run = model._decoder.run

        def counted(*args: object) -> object:
            nonlocal steps
            steps += 1
            return run(*args)

        monkeypatch.setattr(model, "_drafts", Drafts())
        monkeypatch.setattr(model._decoder, "run", counted)
        alone = engine.transcribe(audio, None, CancelToken()).text
        needed, steps = steps, 0
        monkeypatch.setattr(model, "_drafts", Drafts())
        engine.transcribe(audio[: 5 * 16000], None, CancelToken())
        steps = 0
        grown = engine.transcribe(audio, None, CancelToken()).text
        assert wer(" ".join(words(alone)), " ".join(words(grown))) < 0.15  # the last word is cut off
        assert 0 < steps < needed * 2 / 3

    def test_human_utterances(self, engine: MoonshineRecognizer) -> None:
        import json

        from tests.speech import HUMAN

        human("utterances/neutral_1.flac")
        listed = json.loads((HUMAN / "utterances" / "utterances.json").read_text())
        references, heard = [], []
        for item in listed:
            audio = human(f"utterances/{item['file']}")
            references.append(" ".join(words(item["text"])))
            heard.append(" ".join(words(engine.transcribe(audio, None, CancelToken()).text)))
        assert wer(references, heard) < 0.1


class TestPocketsphinx(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> PocketsphinxRecognizer:
        return PocketsphinxRecognizer()

    @pytest.fixture
    def spoken(self) -> Samples:
        return moonshine_asset("beckett.wav")[: 3 * 16000]

    def test_human_speech_mostly(self, engine: PocketsphinxRecognizer) -> None:
        reading = moonshine_asset("two_cities.wav")[: 12 * 16000]
        heard = engine.transcribe(reading, None, CancelToken()).text
        expected = "it was the best of times it was the worst of times"
        assert share_heard(expected, heard) > 0.6


def test_a_grammar_makes_pocketsphinx_sure(tmp_path: Path) -> None:

    grammar = tmp_path / "lights.gram"
    grammar.write_text(
        "#JSGF V1.0;\ngrammar lights;\npublic <lights> = ask not what your country can do for you;\n"
    )
    engine = PocketsphinxRecognizer(str(grammar))
    sentence = human("jfk.flac")[int(3.2 * 16000) : int(7.6 * 16000)]
    heard = engine.transcribe(
        np.concatenate((silence(300), sentence, silence(300))), None, CancelToken()
    )
    assert heard.text == "ask not what your country can do for you"


def test_a_grammar_that_is_none_is_an_error(tmp_path: Path) -> None:
    garbage = tmp_path / "bad.gram"
    garbage.write_text("garbage {")
    for file in ("/nowhere.gram", str(garbage)):
        with pytest.raises(UserError, match="expected a JSGF grammar"):
            PocketsphinxRecognizer(file)


@pytest.mark.parametrize("name", ["", "tiny", "huge-en", "tiny-en-extra"])
def test_a_model_that_moonshine_does_not_have_is_an_error(name: str) -> None:
    with pytest.raises(UserError, match="--stt_model_name"):
        MoonshineRecognizer(name)


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:

    folder = tmp_path / "tiny-en"
    folder.mkdir()
    with pytest.raises(UserError, match="--stt_model_name"):
        MoonshineRecognizer(str(folder))


def test_a_model_that_cannot_be_fetched_says_both_ways_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MOONSHINE_VOICE_CACHE", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="connect to the network once, or use tiny-en"):
        MoonshineRecognizer("base-en")


def test_drafts_belong_to_one_beginning_and_the_oldest_are_forgotten() -> None:
    drafts, chance = Drafts(), np.random.default_rng(0)
    utterances = [chance.normal(0, 0.1, 16000).astype(np.float32) for _ in range(MAX_DRAFTS + 1)]
    for number, utterance in enumerate(utterances):
        drafts.keep(utterance[:8000], [number])
    assert drafts.of(utterances[-1]) == [MAX_DRAFTS]
    assert drafts.of(utterances[1]) == [1]
    assert drafts.of(utterances[0]) == ()
