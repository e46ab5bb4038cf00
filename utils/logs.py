"""Logging to standard error. What was said, keys and tokens do not go there."""

import logging


def set_up_logging(level: str) -> None:
    """Log from `level` on; libraries only warn, since their details may hold what was said."""
    logging.basicConfig(format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S")
    for package in ("pipeline", "connections", "listeners", "utils", "VAD", "STT", "LLM", "TTS", "S2S"):
        logging.getLogger(package).setLevel(level.upper())
