"""TimeLimits: ends sessions that are idle for too long, or last too long."""

import asyncio

from connections.base import tell_loop
from pipeline.events import (
    LIVE,
    Event,
    InputLevel,
    OutputLevel,
    PartialTranscript,
    SpeechStarted,
    TurnDone,
)
from pipeline.loudness import QUIET_RMS
from pipeline.session import Session

SPEECH_RMS = 0.003
"""Loudness (-50 dB) that counts as the user's speech to a duplex model, which has no voice detector. The
average speaker is to have -22 dB (RFC 7874, section 4), but no client has to amplify a microphone that
has less. At the gain of the RFC, a quiet room is some 30 dB below speech, and stays below this."""


class TimeLimits:
    """Ends a session that is not used, such as that of a page left open in a tab. With a duplex model,
    whose turns have no end, it is used while either side is heard.

    A box for its events; created on the thread of the server.
    """

    def __init__(self, session: Session, idle_s: float, max_s: float) -> None:
        duplex = session.capabilities.duplex
        self.unwanted: tuple[type, ...] = (PartialTranscript,) if duplex else LIVE
        self._session = session
        self._idle_s = idle_s
        self._loop = asyncio.get_running_loop()
        reason = f"a session may last {max_s:g} s"
        self._end = self._loop.call_later(max_s, session.close, reason)
        self._idle = self._wait()

    def post(self, event: Event) -> None:
        """Start the idle time anew when someone speaks or a turn ends. Called from any thread."""
        match event:
            case InputLevel(rms):
                used = rms > SPEECH_RMS
            case OutputLevel(rms):
                used = rms > QUIET_RMS
            case _:
                used = isinstance(event, (SpeechStarted, TurnDone))
        if used:
            tell_loop(self._loop, self._restart)

    def close(self) -> None:
        """Stop the timers, since the session has ended."""
        tell_loop(self._loop, self._cancel)

    def _wait(self) -> asyncio.TimerHandle:
        reason = f"nobody has spoken for {self._idle_s:g} s"
        return self._loop.call_later(self._idle_s, self._session.close, reason)

    def _restart(self) -> None:
        if not self._idle.cancelled():
            self._idle.cancel()
            self._idle = self._wait()

    def _cancel(self) -> None:
        self._idle.cancel()
        self._end.cancel()
