"""Logging to standard error. Speech, keys and tokens are never logged.

Facts are passed beside the message, `logger.info("refused", extra={"peer": …})`, and written as
``name=value`` or as members of a JSON object.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"}
"""Attributes of every record, and those that uvicorn adds to its own."""


class TextFormatter(logging.Formatter):
    """Formats a record as a line for people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        facts = (f" {name}={_shown(value)}" for name, value in _facts(record).items())
        return super().formatMessage(record) + "".join(facts)


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)  # plain ASCII suits every encoding


FORMATS: dict[str, type[logging.Formatter]] = {"text": TextFormatter, "json": JsonFormatter}


OWN_PACKAGES = (
    *("pipeline", "catalog", "engines", "commands", "connections", "listeners", "utils"),
    *("VAD", "STT", "LLM", "TTS", "S2S"),
)


def set_up_logging(level: str, written_as: str) -> None:
    """Log from `level` up; libraries log warnings only, since their details may contain speech."""
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATS[written_as]())
    logging.basicConfig(handlers=[handler])
    for package in OWN_PACKAGES:
        logging.getLogger(package).setLevel(level.upper())


def logs_json() -> bool:
    """True if standard error is written for a machine to read."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _USUAL}


def _shown(value: object) -> str:
    """Format a value; quoted unless it reads as one word, so that a record stays on one line."""
    text = str(value)
    return text if text.isprintable() and text and not set(text) & set(' "=') else json.dumps(text)


def quieten_libraries() -> None:
    """Turn off the progress bar that transformers, if imported, draws for every model it loads."""
    if transformers := sys.modules.get("transformers"):
        transformers.utils.logging.disable_progress_bar()
