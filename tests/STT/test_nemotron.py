"""The streaming Nemotron with tiny random weights, loaded as the real ones are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install -e '.[nemotron]'")

import torch

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.nemotron import NemotronRecognizer
from testing.contracts import StreamingRecognizerContract
from testing.tiny_models import tiny_chat_model
from testing.tiny_recognizers import tiny_nemotron
from tests.speech import spoken as say

SENTENCE = "What is the weather like in London today?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_nemotron(tmp_path_factory.mktemp("nemotron")))


class TestNemotron(StreamingRecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: str) -> NemotronRecognizer:
        return NemotronRecognizer(folder, "cpu", latency_ms=160)

    @pytest.fixture
    def spoken(self) -> Samples:
        return say(SENTENCE)


@pytest.mark.parametrize("latency_ms", [80, 160, 560, 1120])
def test_it_hears_what_the_library_hears(folder: str, latency_ms: int) -> None:
    """The library's `generate` takes the same audio as a generator of chunks."""
    engine, audio = NemotronRecognizer(folder, "cpu", latency_ms), say(SENTENCE)
    processor, hop = engine.processor, 160
    before, behind = np.zeros(256, np.float32), np.zeros(2 * engine.info.chunk_samples, np.float32)
    padded = np.concatenate((before, audio, behind))

    def spectrograms() -> Iterator[torch.Tensor]:
        at, frames = 0, processor.num_mel_frames_first_audio_chunk
        while at * hop + 96 < len(audio):  # samples that the last frame covers
            window = padded[at * hop : (at + frames - 1) * hop + 512]
            features = processor.feature_extractor(window, sampling_rate=16000, center=False)
            yield features["input_features"]
            at, frames = at + frames, processor.num_mel_frames_per_audio_chunk

    with torch.inference_mode():
        generated = engine.model.generate(
            input_features=spectrograms(),
            num_lookahead_tokens=processor.default_num_lookahead_tokens,
            max_new_tokens=1000,
        )
    expected = processor.decode(generated.sequences[0], skip_special_tokens=True).strip()
    assert engine.transcribe(audio, None, CancelToken()).text == expected
    assert len(expected.split()) > 5


def test_how_far_it_hears_ahead_matters(folder: str) -> None:
    heard = {
        NemotronRecognizer(folder, "cpu", ms).transcribe(say(SENTENCE), None, CancelToken()).text
        for ms in (80, 560)
    }
    assert len(heard) == 2


def test_a_latency_that_the_model_does_not_know_is_told(folder: str) -> None:
    with pytest.raises(UserError, match="--stt_latency_ms: expected one of 80, 160, 560, 1120, got 100"):
        NemotronRecognizer(folder, "cpu", latency_ms=100)


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    folder = tiny_nemotron(tmp_path / "broken", without="joint")
    with pytest.raises(UserError, match=r"--stt_model_name .*have no weights"):
        NemotronRecognizer(str(folder), "cpu")


def test_another_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a streaming Nemotron of Transformers, got llama"):
        NemotronRecognizer(str(tiny_chat_model(tmp_path / "llama")), "cpu")
