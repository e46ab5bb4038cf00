"""`stage` builds a stage in such a way that a type checker sees the arguments of its `setup`."""

import threading
from typing import Any, ParamSpec, Protocol, TypeVar

from pipeline.channel import Channel
from pipeline.handler import BaseHandler

P = ParamSpec("P")
Handler_co = TypeVar("Handler_co", bound=BaseHandler[Any], covariant=True)


class StageKind(Protocol[Handler_co, P]):
    """The class of a stage, with the parameters of its `setup`."""

    def __call__(
        self,
        stop_event: threading.Event,
        queue_in: Channel[Any],
        queue_out: Channel[Any] | None,
        setup_args: Any,
        setup_kwargs: Any,
        /,
    ) -> Handler_co: ...

    def setup(self, handler: Any, /, *args: P.args, **kwargs: P.kwargs) -> None: ...


def stage(
    kind: StageKind[Handler_co, P],
    stop_event: threading.Event,
    queue_in: Channel[Any],
    queue_out: Channel[Any] | None,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Handler_co:
    """Build a stage of this kind and set it up with `args` and `kwargs`.

    The constructor of `BaseHandler` takes them as a tuple and a mapping, in which two that are swapped
    go unnoticed.
    """
    return kind(stop_event, queue_in, queue_out, args, kwargs)
