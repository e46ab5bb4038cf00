"""Reports an error: an event for the client, the place in the code for the log."""

import logging
import traceback

from pipeline.errors import EngineError, UserError
from pipeline.events import ErrorEvent
from pipeline.turn import Turn

logger = logging.getLogger(__name__)


def error_event(stage: str, error: Exception, turn: Turn | None) -> ErrorEvent:
    """Turn an exception into an `ErrorEvent` for the client.

    An unexpected one is logged with the place where it was raised, never with words of the user.
    """
    if isinstance(error, EngineError):
        text, code = str(error), error.code
    elif isinstance(error, UserError):
        text, code = str(error), "unusable"
    else:
        text, code = f"{stage} failed unexpectedly ({type(error).__name__})", "internal_error"
        _log(stage, error)
    return ErrorEvent(stage, code, text, turn.number if turn else None)


def lost_event(name: str, error: Exception) -> ErrorEvent:
    """The `ErrorEvent` that a client gets instead of an event that could not be built or encoded."""
    _log(name, error)
    text = f"an event ({name}) could not be sent ({type(error).__name__})"
    return ErrorEvent("events", "internal_error", text)


def _log(name: str, error: Exception) -> None:
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("%s failed: %s\n%s", name, type(error).__name__, where)
