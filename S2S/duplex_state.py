"""DuplexState: the state of one conversation with a full-duplex model."""

import threading

import numpy as np

from pipeline.errors import EngineBusy, EngineError
from pipeline.messages import Samples
from pipeline.places import Places
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken
from S2S.base import DuplexModel, DuplexStream


class DuplexState:
    """One of the `places` of a model, held from the beginning of a session to its end, and the stream in
    it, which the next frame opens.

    Frames are computed on the threads of the engine's slots, and a caller may give one up. The place is
    then free, or a new stream opened, only when that frame has returned.
    """

    def __init__(self, places: Places) -> None:
        """Take a place. Raises `EngineBusy`."""
        places.take()
        self.frames = 0
        """Number of frames that the present stream has answered."""
        self._places = places
        self._stream: DuplexStream | None = None
        self._discarded = False
        self._computing = False
        self._closing = False
        self._lock = threading.Lock()

    def expect_returned(self) -> None:
        """Raise `EngineBusy` if a frame that was given up is still being computed."""
        if self._computing:
            raise EngineBusy("the model is busy: it has not returned from an earlier frame")

    def answer(
        self, frame: Samples, model: DuplexModel, settings: SessionSettings, cancel: CancelToken
    ) -> tuple[Samples, str | None]:
        """The model's answer to a frame. Raises `EngineError`, also if its length is wrong, if it is not
        made of numbers, or if nobody waits for it anymore."""
        with self._lock:
            self.expect_returned()
            if self._closing or cancel.cancelled:
                raise EngineError(f"{model.info.name}: the conversation is over")
            self._computing = True
        try:
            return self._compute(frame, model, settings)
        finally:
            with self._lock:
                self._computing = False
                closing = self._closing
            if closing:
                self._free()

    def discard(self) -> None:
        """Let the next frame close the stream, and open a new one."""
        with self._lock:
            self._discarded = True
            self.frames = 0

    def close(self) -> None:
        """Close the stream and give the place back; if a frame is being computed, as soon as that is
        over."""
        with self._lock:
            is_last = not (self._closing or self._computing)
            self._closing = True
        if is_last:
            self._free()

    def _compute(
        self, frame: Samples, model: DuplexModel, settings: SessionSettings
    ) -> tuple[Samples, str | None]:
        if self._discarded:
            self._discarded = False
            self._close_stream()
        if self._stream is None:
            self._stream = model.open(settings)
        samples, text = self._stream.answer(frame)
        _expect_frame(samples, model)
        with self._lock:
            self.frames += not self._discarded
        return samples, text

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _free(self) -> None:
        try:
            self._close_stream()
        finally:
            self._places.release()


def _expect_frame(samples: Samples, model: DuplexModel) -> None:
    """Raise `EngineError` unless these are a frame of numbers, or nothing. A state with NaN in it makes
    nothing else from then on."""
    expected = model.info.frame_samples
    if not isinstance(samples, np.ndarray) or samples.shape not in ((expected,), (0,)):
        got = samples.shape if isinstance(samples, np.ndarray) else type(samples).__name__
        raise EngineError(
            f"{model.info.name}: expected a frame of {expected} samples, or none, got {got}",
            code="bad_frame",
        )
    if not np.isfinite(samples).all():
        raise EngineError(
            f"{model.info.name}: expected speech, got samples that are not numbers", code="bad_audio"
        )
