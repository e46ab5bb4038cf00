"""When a pause ends a turn: the turn detector between the short pause and the long one."""

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.weights import FETCH, SMART_TURN
from engines.loader import load_turn_detector
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from testing.conversation import Conversation
from testing.fakes import ScriptedTurnDetector
from tests.speech import HUMAN, human, silence
from VAD.smart_turn import SmartTurnDetector, log_mel


def conversation(detector: ScriptedTurnDetector, *, speculate: bool = True) -> Conversation:
    settings = EndpointerSettings(speculate=speculate)
    return Conversation(endpointing=settings, turn_detector=detector)


def silence_before_the_answer(talk: Conversation) -> float:
    talk.speak(640)
    latency = talk.until_done(1).latency
    assert latency.silence_ms is not None
    return latency.silence_ms


@pytest.mark.parametrize("speculate", [True, False])
@pytest.mark.parametrize(("completeness", "expected_ms"), [(0.9, 160), (0.3, 1024)])
def test_what_sounds_complete_is_answered_soon_and_the_rest_is_waited_for(
    completeness: float, expected_ms: float, speculate: bool
) -> None:
    with conversation(ScriptedTurnDetector(completeness), speculate=speculate) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(expected_ms, abs=1)


def test_without_one_silence_decides() -> None:
    with Conversation(endpointing=EndpointerSettings()) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(512, abs=1)


def test_one_that_fails_is_as_good_as_none(caplog: pytest.LogCaptureFixture) -> None:
    detector = ScriptedTurnDetector(0.9)
    detector.error = ValueError("what was said")
    with conversation(detector) as talk:
        assert silence_before_the_answer(talk) == pytest.approx(512, abs=1)
    assert "scripted-turn failed: ValueError" in caplog.text
    assert "what was said" not in caplog.text


def test_one_that_hangs_holds_nothing_up() -> None:
    detector = ScriptedTurnDetector(0.9)
    detector.hold.close()
    with conversation(detector) as talk:
        talk.speak(640, settle=False)
        talk.wait(640, settle=False)
        mail = talk.session.events.subscribe()
        while type(mail.fetch(30)).__name__ != "ReplyStarted":
            talk.clock.advance(512)
        detector.hold.open()
        talk.settle()


def test_each_pause_is_judged_by_itself_and_a_late_verdict_is_void() -> None:
    detector = ScriptedTurnDetector(0.3)
    with conversation(detector) as talk:
        talk.speak(640)
        talk.wait(256)
        detector.answer = 0.9
        talk.speak(640)
        talk.wait(256)
        assert len(detector.asked) == 2
        assert len(detector.asked[1]) > len(detector.asked[0]) + 16000 * 0.8, "the whole, each time"
        assert talk.sink.turns(), "and the second time it was complete"


# -- the model itself ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detector() -> SmartTurnDetector:
    path = SMART_TURN.path
    if not path.exists():
        pytest.skip(f"Smart Turn is not in {path.parent} ({FETCH})")
    return SmartTurnDetector(str(path))


@pytest.mark.parametrize("seconds", [0.3, 3.0, 8.0, 11.0])
def test_the_features_are_those_of_whisper(seconds: float) -> None:
    from transformers import WhisperFeatureExtractor

    samples = np.random.default_rng(0).normal(0.01, 0.1, int(16000 * seconds)).astype(np.float32)
    last = samples[-128_000:]
    padded = np.pad(last, (128_000 - len(last), 0))
    expected = WhisperFeatureExtractor(chunk_length=8)(
        padded, sampling_rate=16000, return_tensors="np", do_normalize=True
    ).input_features[0]
    assert np.allclose(log_mel(samples), expected, atol=1e-3)


def test_finished_sentences_sound_more_complete_than_cut_ones(detector: SmartTurnDetector) -> None:
    human("utterances/neutral_1.flac")
    items = json.loads((HUMAN / "utterances" / "utterances.json").read_text())
    whole, cut = [], []
    for item in [item for item in items if item.get("cut_s")][:10]:
        audio = human(f"utterances/{item['file']}")
        whole.append(detector.completeness(_pausing(audio[: int(16000 * item["speech_end_s"])])))
        cut.append(detector.completeness(_pausing(audio[: int(16000 * item["cut_s"])])))
    assert np.mean(whole) > np.mean(cut) + 0.2


def _pausing(audio: Samples) -> Samples:
    return np.concatenate((audio, silence(32)))


def test_silence_and_noise_are_judged_too(detector: SmartTurnDetector) -> None:
    for audio in (silence(100), np.random.default_rng(0).normal(0, 0.1, 200_000).astype(np.float32)):
        assert 0 <= detector.completeness(audio) <= 1


def test_where_the_file_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    assert SMART_TURN.path == tmp_path / SMART_TURN.name
    assert load_turn_detector("auto") is None
    assert load_turn_detector("silence") is None
    with pytest.raises(UserError, match="--turn_detector: expected auto, silence or an ONNX file"):
        load_turn_detector("/nowhere/model.onnx")
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(UserError, match="--turn_detector"):
        load_turn_detector(str(tmp_path / "text.onnx"))
