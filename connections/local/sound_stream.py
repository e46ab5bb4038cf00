"""SoundStream: a PortAudio stream that exchanges audio until it is closed or fails."""

import logging
import threading
from collections.abc import Callable
from typing import Any

from utils.sound_devices import load_sounddevice

logger = logging.getLogger(__name__)

FIRST_BLOCK_S = 5.0
"""Limit of the wait for the first block. Most take 0.05 s; a Bluetooth headset wakes up in two."""


class StreamFailed(Exception):
    """A stream was opened and started, but no block of audio came."""


class SoundStream:
    """Exchanges blocks of audio on a thread of the sound card.

    With ALSA some streams end before their first block. So it counts as open only once a block has come.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        on_block: Callable[..., None],
        on_stop: Callable[[str], object],
        **settings: Any,
    ) -> None:
        """`kind` is a class of `sounddevice`, which gets the settings; `on_block` is called with its
        callback's arguments and must not wait. If the stream ends by itself, `on_stop` gets a sentence
        for the user, which begins with `name`.

        Raises sounddevice's `PortAudioError`.
        """
        sounddevice = load_sounddevice()
        self._abort = sounddevice.CallbackAbort
        self._name = name
        self._on_block = on_block
        self._on_stop = on_stop
        self._alive = False
        self._closing = False
        self._decided = threading.Event()
        self._error: Exception | None = None
        self._stream = getattr(sounddevice, kind)(
            latency="low", callback=self._call_back, finished_callback=self._finish, **settings
        )

    def start(self) -> None:
        """Start it, and wait for its first block. Raises `PortAudioError`, `StreamFailed`."""
        self._stream.start()
        if not self._decided.wait(FIRST_BLOCK_S):
            raise StreamFailed(f"no audio came in {FIRST_BLOCK_S:.0f} s")
        if not self._alive:
            raise StreamFailed("it stopped at once")

    def close(self) -> None:
        """Stop and close it."""
        self._closing = True
        self._stream.stop()
        self._stream.close()

    def _call_back(self, *arguments: Any) -> None:
        """Exchange a block. An error stops the stream."""
        self._alive = True
        self._decided.set()
        if arguments[-1]:
            logger.debug("%s reports: %s", self._name, arguments[-1])
        try:
            self._on_block(*arguments)
        except Exception as error:
            self._error = error
            raise self._abort from error

    def _finish(self) -> None:
        """Called when the stream has ended, by itself or because it was closed."""
        self._decided.set()
        if self._alive and not self._closing:
            cause = f" ({self._error})" if self._error else ""
            self._on_stop(f"{self._name} stopped{cause}")
