"""Streams in a worker: an utterance that is recognized while it is spoken, or a conversation with an
end-to-end model."""

import itertools
import weakref
from typing import Any, TypeVar

from engines.isolation.process import WorkerProcess
from engines.isolation.supervisor import Supervisor
from pipeline.errors import EngineError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription

_numbers = itertools.count(1)

Stream = TypeVar("Stream", bound="WorkerStream")


class WorkerStream:
    """The common part. A stream has a number and belongs to one process of the worker. Once that process
    has died, every call raises `EngineError`. When this object is garbage-collected, the worker forgets
    the stream."""

    def __init__(self, supervisor: Supervisor, worker: WorkerProcess) -> None:
        self._supervisor = supervisor
        self._worker = worker
        self._number = next(_numbers)
        self._forget = weakref.finalize(self, worker.forget, self._number)
        self._forget.atexit = False

    @classmethod
    def open(cls: type[Stream], supervisor: Supervisor, *given: Any) -> Stream:
        """Open a stream; `given` are the arguments of the engine's `open`. Raises `EngineError`."""
        worker = supervisor.living(CancelToken())
        assert worker is not None, "nobody cancelled it"
        stream = cls(supervisor, worker)
        stream._call("open", given)
        return stream

    def _call(self, method: str, given: tuple[Any, ...], cancel: CancelToken | None = None) -> Any:
        """The result of the engine; None when `cancel` was raised first. A worker that gives none for
        `STALL_S`, or none for as long after that, is killed."""
        call = self._supervisor.stream_on(self._worker, method, (self._number, *given), cancel)
        results = list(call)
        return results[0] if results else None


class IsolatedStream(WorkerStream):
    """A `RecognizerStream`."""

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
        forked = self._call("fork", (other._number,))
        return other if forked else None


class IsolatedFrameStream(WorkerStream):
    """A `DuplexStream`, or a `FrameStream`."""

    def answer(self, frame: Samples) -> tuple[Samples, str | None]:
        """The audio that follows, and the text that begins with it."""
        if not self._forget.alive:
            raise EngineError("expected an open conversation, got one that is over", "closed")
        answer: tuple[Samples, str | None] = self._call("answer", (frame,))
        return answer

    def close(self) -> None:
        """Tell the worker to free the state. Does not wait."""
        self._forget()
