"""IsolatedStream: one utterance that a recognizer in a worker hears while it is spoken."""

import itertools
import weakref
from typing import Any

from engines.isolation.process import WorkerProcess
from engines.isolation.supervisor import Supervisor
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription

_numbers = itertools.count(1)


class IsolatedStream:
    """A `RecognizerStream`. It belongs to one process of the worker, under a number: when that process
    has died, every call is an `EngineError`. When this object is collected, the worker forgets the
    stream."""

    def __init__(self, supervisor: Supervisor, worker: WorkerProcess) -> None:
        self._supervisor = supervisor
        self._worker = worker
        self._number = next(_numbers)
        weakref.finalize(self, worker.forget, self._number).atexit = False

    @classmethod
    def open(cls, supervisor: Supervisor, language: str | None) -> "IsolatedStream":
        """Open a stream for a new utterance. Raises `EngineError`."""
        worker = supervisor.living(CancelToken())
        assert worker is not None, "nobody cancelled it"
        stream = cls(supervisor, worker)
        stream._call("open", (language,), CancelToken())
        return stream

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        """All words so far."""
        heard: str | None = self._call("feed", (samples,), cancel)
        return heard or ""

    def finish(self, cancel: CancelToken) -> Transcription:
        """End the utterance."""
        heard: Transcription | None = self._call("finish", (), cancel)
        return heard or Transcription("")

    def fork(self) -> "IsolatedStream | None":
        """A copy that has heard the same, if the engine can copy its state."""
        other = IsolatedStream(self._supervisor, self._worker)
        forked = self._call("fork", (other._number,), CancelToken())
        return other if forked else None

    def _call(self, method: str, given: tuple[Any, ...], cancel: CancelToken) -> Any:
        """The result of the engine; None when `cancel` was raised first."""
        call = self._supervisor.stream_on(self._worker, method, (self._number, *given), cancel)
        results = list(call)
        return results[0] if results else None
