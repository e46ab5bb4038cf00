"""Smart Turn v3 (pipecat-ai/smart-turn, BSD-2), a turn detector: does an utterance sound complete?"""

import numpy as np
from numpy.typing import NDArray
from transformers.audio_utils import mel_filter_bank

from pipeline.engine_info import EngineInfo
from pipeline.errors import UserError
from pipeline.messages import Samples
from utils.onnx_file import open_onnx
from utils.threads import engine_threads

_RATE_HZ = 16000
_SECONDS = 8
"""The model hears the last eight seconds; shorter utterances are padded in front."""

_FFT, _HOP, _MELS = 400, 160, 80
"""Windows of 25 ms every 10 ms, as in Whisper, whose encoder the model has."""


class SmartTurnDetector:
    """Judges intonation and words together, in 0.1 s on one thread, with a model of 8 MB."""

    info = EngineInfo(name="smart-turn")
    sample_rate_hz = _RATE_HZ

    def __init__(self, path: str) -> None:
        try:
            self._model = open_onnx(path, engine_threads("vad"))
            self.completeness(np.zeros(_RATE_HZ, np.float32))
        except Exception as error:  # onnxruntime has no common class for its errors
            raise UserError(
                f"--turn_detector: {path} is not an ONNX file of Smart Turn v3 ({type(error).__name__})"
            ) from error

    def completeness(self, samples: Samples) -> float:
        """Probability, 0 to 1, that the speaker has finished; `samples` end in a short pause."""
        (output,) = self._model.run(None, {"input_features": log_mel(samples)[None]})
        return float(output[0, 0])

    def close(self) -> None:
        """Nothing to free: the model goes with this object."""


_FILTERS = mel_filter_bank(
    _FFT // 2 + 1, _MELS, 0.0, 8000.0, _RATE_HZ, norm="slaney", mel_scale="slaney"
)
_HANN = np.hanning(_FFT + 1)[:-1]


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Whisper's features, shape (80, 800), of the last eight seconds.

    Equal to those of `transformers.WhisperFeatureExtractor(chunk_length=8)` with ``do_normalize=True``,
    in a tenth of the time, since all windows are transformed at once.
    """
    length = _SECONDS * _RATE_HZ
    audio = np.pad(samples[-length:], (max(0, length - len(samples)), 0)).astype(np.float64)
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    padded = np.pad(audio, _FFT // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][:-1]
    power = np.abs(np.fft.rfft(windows * _HANN)) ** 2
    mel = np.log10(np.maximum(1e-10, power @ _FILTERS)).T
    mel = np.maximum(mel, mel.max() - 8.0)
    features: NDArray[np.float32] = ((mel + 4.0) / 4.0).astype(np.float32)
    return features
