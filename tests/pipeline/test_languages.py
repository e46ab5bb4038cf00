"""The user's language, from the recognizer to the prompt and the voice; and Telugu, for real."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from catalog.people import as_configured, people_of
from engines.ears import require_ears
from engines.named_voices import NamedVoices
from pipeline.errors import UserError
from pipeline.events import NoticeGiven, Transcript
from pipeline.language import english_name, is_language
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.chat_server import ChatServer
from testing.contracts import SynthesizerContract, chunks_of
from testing.conversation import Conversation
from testing.fakes import ScriptedModel, ScriptedRecognizer, ScriptedSynthesizer
from tests.command import run
from tests.speech import silence, spoken
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer

TELUGU = "నమస్కారం! మీరు ఎలా ఉన్నారు? నేను మీకు సహాయం చేయగలను."


def prompts(model: ScriptedModel) -> list[str]:
    """The system messages beside the conversation, one for each prompt."""
    return [messages[0].content for messages in model.prompts]


def notices(conversation: Conversation) -> list[tuple[str, str]]:
    return [(e.stage, e.text) for e in conversation.events(NoticeGiven) if isinstance(e, NoticeGiven)]


class TestTheSpeakerLeads:
    def test_what_was_detected_reaches_the_prompt_and_the_voice(self) -> None:
        stt = ScriptedRecognizer(
            Transcription("bonjour", "fr-auto"),
            Transcription("hello", "en-auto"),
            languages=("en", "fr"),
        )
        tts = ScriptedSynthesizer(languages=("en", "fr"))
        with Conversation(stt=stt, tts=tts) as conversation:
            for turn in (1, 2):
                conversation.ask()
                conversation.until_done(turn)
            first, second = prompts(conversation.llm)
            heard = [e.language for e in conversation.events(Transcript) if isinstance(e, Transcript)]
        assert first.endswith("Answer in French.")
        assert second.endswith("Answer in English.")
        assert tts.told == ["fr", "fr", "en", "en"], "two sentences each"
        assert heard == ["fr-auto", "en-auto"]

    def test_english_that_nobody_chose_needs_no_word(self) -> None:
        with Conversation() as conversation:
            conversation.ask()
            conversation.until_done(1)
            assert "Answer in" not in prompts(conversation.llm)[0]
            assert notices(conversation) == []

    def test_what_the_session_wants_wins(self) -> None:
        stt = ScriptedRecognizer(Transcription("bonjour", "fr-auto"), languages=("te", "fr"))
        tts = ScriptedSynthesizer(languages=("te", "fr"))
        settings = SessionSettings(language="te")
        with Conversation(stt=stt, tts=tts, settings=settings) as conversation:
            conversation.ask()
            conversation.until_done(1)
            assert prompts(conversation.llm)[0].endswith("Answer in Telugu.")
        assert stt.told == ["te"]
        assert set(tts.told) == {"te"}


class TestWhoDoesNotSpeakIt:
    def test_each_stage_falls_back_and_says_so_once(self) -> None:
        """The scripted engines speak only English."""
        with Conversation(settings=SessionSettings(language="te")) as conversation:
            for turn in (1, 2):
                conversation.ask()
                assert conversation.until_done(turn).state == "done"
            assert notices(conversation) == [
                ("stt", "scripted-stt does not understand Telugu; it listens as usual"),
                ("tts", "scripted-tts does not speak Telugu; it speaks as usual"),
            ]
        assert conversation.stt.told == [None, None]
        assert set(conversation.tts.told) == {None}

    def test_a_change_of_language_is_a_new_notice(self) -> None:
        with Conversation(settings=SessionSettings(language="te")) as conversation:
            conversation.ask()
            conversation.until_done(1)
            conversation.session.change_settings(SessionSettings(language="fr"))
            conversation.ask()
            conversation.until_done(2)
            told = [text for stage, text in notices(conversation) if stage == "tts"]
        assert [("Telugu" in text, "French" in text) for text in told] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("code", "name", "is_one"),
    [
        ("te", "Telugu", True),
        ("fr-auto", "French", False),
        ("yue", "Cantonese", True),
        ("klingon", "klingon", False),
        ("../..", "../..", False),
    ],
)
def test_codes_and_names(code: str, name: str, is_one: bool) -> None:
    assert english_name(code) == name
    assert is_language(code) == is_one


class TestNamedVoicesOfEspeak(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Synthesizer:
        return NamedVoices(EspeakSynthesizer(), people_of("espeak"))

    def test_the_four_are_offered_first(self, engine: Synthesizer) -> None:
        assert engine.info.voices[:4] == ("Arjun", "Ravi", "Priya", "Lakshmi")
        assert "en-us" in engine.info.voices

    def test_they_speak_telugu_each_in_their_own_voice(self, engine: Synthesizer) -> None:
        pitch = {name: pitch_hz(engine, name) for name in engine.info.voices[:4]}
        assert pitch["Ravi"] < pitch["Arjun"] < pitch["Lakshmi"] < pitch["Priya"]
        assert pitch["Ravi"] > 70
        assert pitch["Priya"] < 260

    def test_whatever_language_the_user_speaks(self, engine: Synthesizer) -> None:
        lengths = {
            language: sum(
                len(c.samples)
                for c in chunks_of(engine.synthesize(TELUGU, "Priya", language, CancelToken()))
            )
            for language in (None, "en", "te")
        }
        assert max(lengths.values()) == pytest.approx(min(lengths.values()), rel=0.01)


def test_a_person_may_be_configured() -> None:
    settings: dict[str, object] = {"voice": "Priya", "language": "en", "rate": 170}
    expected = {"voice": "te+belinda", "language": "te", "rate": 170}
    assert as_configured(settings, people_of("espeak")) == expected


def pitch_hz(engine: Synthesizer, voice: str) -> float:
    """The median fundamental frequency of all loud windows, by autocorrelation."""
    (chunk,) = chunks_of(engine.synthesize(TELUGU, voice, None, CancelToken()))
    size, rate_hz, found = 2048, chunk.sample_rate_hz, []
    for start in range(0, len(chunk.samples) - size, size // 4):
        window = chunk.samples[start : start + size] * np.hanning(size)
        if np.sqrt(np.mean(window**2)) < 0.02:
            continue
        similar = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * size)) ** 2)
        nearest, farthest = rate_hz // 400, rate_hz // 60
        period = nearest + int(np.argmax(similar[nearest:farthest]))
        if similar[period] > 0.4 * similar[0]:
            found.append(rate_hz / period)
    return float(np.median(found))


@pytest.mark.slow
def test_a_conversation_in_telugu(tmp_path: Path) -> None:
    """The built-in recognizer understands only English, and the program says so; the model is asked for
    Telugu, and eSpeak speaks it."""
    question, reply = tmp_path / "question.wav", tmp_path / "reply.wav"
    audio = np.concatenate((silence(500), spoken("What is the weather like today?"), silence(200)))
    soundfile.write(question, audio, 16000)
    with ChatServer(reply=TELUGU) as server:
        ended = run(
            *("--mode", "file", "--input", str(question), "--output", str(reply)),
            *("--llm", "openai", "--llm_base_url", server.base_url, "--tts_voice", "Lakshmi"),
        )
        assert ended.returncode == 0, ended.stderr
        asked = server.requests[-1]["messages"][0]["content"]
    transcript = json.loads(reply.with_suffix(".transcript.json").read_text("utf-8"))
    *dropped, turn = transcript["turns"]
    assert all(each["state"] == "dropped" for each in dropped), "a guess in a pause, on a busy machine"
    assert asked.endswith("Answer in Telugu.")
    assert turn["heard"] == TELUGU
    assert "note: moonshine does not understand Telugu; it listens as usual" in ended.stdout
    assert "does not speak" not in ended.stdout
    samples, rate_hz = soundfile.read(reply)
    loud = np.abs(samples) > 0.01
    assert 1 < loud.sum() / rate_hz < 15


@pytest.mark.parametrize(
    ("code", "name", "remedy"),
    [
        ("de", "German", "--stt faster-whisper --stt_model_name small"),
        ("ig", "Igbo", "choose a recognizer that does, with --stt"),
    ],
)
def test_a_language_without_ears_is_refused_with_what_to_type(code: str, name: str, remedy: str) -> None:
    recognizer = ScriptedRecognizer()
    recognizer.info = replace(recognizer.info, languages=("en", "fr"))
    for known in (None, "en", "fr", "en-US"):
        require_ears(recognizer, known)
    with pytest.raises(UserError) as refused:
        require_ears(recognizer, code)
    assert f"--language {code}: scripted-stt does not understand {name}; " in str(refused.value)
    assert remedy in str(refused.value)


@pytest.mark.slow
def test_a_language_without_ears_ends_the_start(tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    soundfile.write(question, silence(500), 16000)
    ended = run("--mode", "file", "--input", str(question), "--llm", "eliza", "--language", "de")
    assert ended.returncode == 2
    assert "moonshine does not understand German; " in ended.stderr
    assert "add --stt faster-whisper --stt_model_name small" in ended.stderr


@pytest.mark.parametrize("code", ["klingon", "english", "te-auto", "&"])
def test_what_is_no_language_is_told(code: str) -> None:
    ended = run("--language", code)
    assert ended.returncode == 2
    assert f"--language: expected an ISO 639-1 code such as en or te, got {code}" in ended.stderr
