"""BaseHandler: one stage of a pipeline, on a thread of its own."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar

from pipeline.channel import END, Channel, Message
from pipeline.messages import EndOfTurn
from pipeline.turn import Turn

logger = logging.getLogger(__name__)

In = TypeVar("In", bound=Message)


class BaseHandler(Generic[In]):
    """Takes messages from one channel, processes them, and puts the results into the next channel.

    A stage sets `name` and `takes` and writes `process`; `setup` gets the remaining arguments of the
    constructor. Messages of other types are passed on unread.

    When `process` fails, the turn is over but the thread is not: the error is reported, results that
    were already sent on are kept, and the rest of the turn is refused.
    """

    name: ClassVar[str] = "stage"
    takes: ClassVar[type | tuple[type, ...]] = object

    def __init__(
        self,
        stop_event: threading.Event,
        queue_in: Channel[In],
        queue_out: Channel[Any] | None,
        setup_args: Sequence[Any] = (),
        setup_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.stop_event = stop_event
        self.queue_in = queue_in
        self.queue_out = queue_out
        self.processing_times_s: deque[float] = deque(maxlen=100)
        self.setup(*setup_args, **(setup_kwargs or {}))

    def setup(self, *args: Any, **kwargs: Any) -> None:
        """Store the arguments that `process` needs."""

    def process(self, message: In) -> Generator[Message, None, None]:
        """Work on one message; yields the messages for the next stage.

        The generator is closed as soon as no more is wanted, so release resources in a `finally`.
        """
        raise NotImplementedError(f"{type(self).__name__} must define process()")

    def finish(self) -> Generator[Message, None, None]:
        """Yield the last messages, before `END` is passed on."""
        yield from ()

    def cleanup(self) -> None:
        """Release the resources that `setup` took."""

    def run(self) -> None:
        """Serve the channel until `END` comes or the pipeline stops."""
        try:
            self.serve_channel()
        finally:
            self.cleanup()
            if self.queue_out is not None:
                self.queue_out.put(END)

    def failed(self, message: In, error: Exception) -> None:
        """Handle an error that `process` raised. Override it in a stage whose messages have no turn."""
        turn = message.turn
        if turn is None:
            raise error
        turn.fail(self.name, error)
        self.queue_in.refuse(turn)
        if self.queue_out is not None:
            for instead in self.instead(turn, error):
                self.queue_out.put(instead)
            self.queue_out.put(EndOfTurn(turn, f"{self.name} failed"))

    def instead(self, turn: Turn, error: Exception) -> Iterable[Message]:
        """The messages to send on in place of the rest of a turn that failed here."""
        return ()

    def serve_channel(self) -> None:
        """Serve messages until `END`. For a stage that another thread serves."""
        while not self.stop_event.is_set():
            message = self.queue_in.get()
            if message is END:
                self._send(self.finish(), None)
                break
            if message is not None:
                self.serve(message)  # type: ignore[arg-type]

    def serve(self, message: In) -> None:
        """Process one message, or pass it on unread."""
        turn = message.turn
        if turn is not None and not turn.alive:
            return
        if not isinstance(message, self.takes):
            if self.queue_out is not None:
                self.queue_out.put(message)
            return
        started_s = time.perf_counter()
        if turn is not None:
            turn.mark(f"{self.name}_start")
        try:
            self._send(self.process(message), turn)
        except Exception as error:
            self.failed(message, error)
        finally:
            self.processing_times_s.append(time.perf_counter() - started_s)

    def _send(self, outputs: Generator[Message, None, None], turn: Turn | None) -> None:
        with closing(outputs):
            for output in outputs:
                if turn is not None:
                    turn.mark(f"{self.name}_first")
                    turn.mark_last(f"{self.name}_last")
                if self.queue_out is not None and not self.queue_out.put(output):
                    return


class StageThreads(Protocol):
    """The threads of one pipeline."""

    def start(self) -> None:
        """Start every stage."""

    def join(self, timeout_s: float | None = None) -> list[str]:
        """Wait for all to end. Returns the names of the stages that did not in time."""
        ...


Stages: TypeAlias = Sequence[BaseHandler[Any]]

NewStageThreads: TypeAlias = Callable[
    [Stages, Callable[[BaseHandler[Any], Exception], None], Callable[[], None]], StageThreads
]
"""Makes the threads from the stages, a callback for a stage that failed, and one for the end of all."""
