"""DuplexState: the state of one conversation with a full-duplex model."""

import threading

import numpy as np

from pipeline.errors import EngineError
from pipeline.messages import Samples
from pipeline.places import Places
from pipeline.settings import SessionSettings
from S2S.base import DuplexModel, DuplexStream


class DuplexState:
    """A state, opened by its first frame and closed once; it holds one of the `places` until then.

    Frames are computed on the threads of the engine's slots. A caller may stop waiting for a frame; the
    state is then closed when that frame is computed.
    """

    def __init__(self, places: Places) -> None:
        """Take a place. Raises `EngineBusy`."""
        places.take()
        self.frames = 0
        """Number of frames that the model has answered."""
        self._places = places
        self._stream: DuplexStream | None = None
        self._computing = False
        self._closing = False
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def answer(
        self, frame: Samples, model: DuplexModel, settings: SessionSettings
    ) -> tuple[Samples, str | None]:
        """The model's answer to a frame. Raises `EngineError`, also if its length is wrong."""
        with self._lock:
            if self._closing:
                raise EngineError(f"{model.info.name}: the conversation is over")
            self._computing = True
        try:
            if self._stream is None:
                self._stream = model.open(settings)
            samples, text = self._stream.answer(frame)
            _expect_frame(samples, model)
            self.frames += 1
            return samples, text
        finally:
            with self._lock:
                self._computing = False
                closing = self._closing
            if closing:
                self._free()

    def close(self) -> None:
        """Close the state, or, if a frame is being computed, let it be closed after that frame."""
        with self._lock:
            is_last = not (self._closing or self._computing)
            self._closing = True
        if is_last:
            self._free()

    def join(self, timeout_s: float) -> None:
        """Wait until the state is closed. Do not wait for a frame, which may never return."""
        if not self._computing:
            self._closed.wait(timeout_s)

    def _free(self) -> None:
        try:
            if self._stream is not None:
                self._stream.close()
        finally:
            self._places.release()
            self._closed.set()


def _expect_frame(samples: Samples, model: DuplexModel) -> None:
    """Raise `EngineError` unless these are a frame, or nothing."""
    expected = model.info.frame_samples
    if not isinstance(samples, np.ndarray) or samples.shape not in ((expected,), (0,)):
        got = samples.shape if isinstance(samples, np.ndarray) else type(samples).__name__
        raise EngineError(
            f"{model.info.name}: expected a frame of {expected} samples, or none, got {got}",
            code="bad_frame",
        )
