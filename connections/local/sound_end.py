"""SoundEnd: a microphone or a loudspeaker, and the formats that it accepts."""

import contextlib
import re
from typing import Any

from connections.local.sound_format import DTYPES, SoundFormat
from pipeline.errors import UserError
from utils.installation import typed
from utils.sound_devices import (
    OPEN_THE_PAGE,
    ROLES,
    find_sound_device,
    load_sounddevice,
    native_messages_logged,
    sound_devices,
)

RATES_HZ = (48000, 44100, 32000, 96000, 24000, 22050, 88200, 192000, 16000, 11025, 8000)
"""Rates to try after the wanted one and the device's own: those of most devices first. 16 and 8 kHz are
those of Bluetooth headsets in a call."""

CHECK = typed("check", "s2s_pipeline.py --check")
"""The command that lists the devices."""

_BAD_DTYPE, _BAD_RATE, _BAD_CHANNELS = -9994, -9997, -9998
_REFUSALS = (_BAD_DTYPE, _BAD_RATE, _BAD_CHANNELS)
"""PortAudio's codes for a format that the device never accepts."""

_NOT_THERE = (-9985, -9996)
"""PortAudio's codes for a device that is in use or gone: no other format would help."""


class EndUnavailable(Exception):
    """A device cannot be queried or opened at the moment; the next attempt may succeed."""

    def __init__(self, end: "SoundEnd", cause: Exception) -> None:
        super().__init__(str(cause))
        self.end = end
        self.in_use = error_code(cause) == _NOT_THERE[0]


class SoundEnd:
    """One end of the conversation: a device in one direction.

    PortAudio has no list of the formats of a device, so they are tried until one is accepted. Nothing is
    opened here.
    """

    def __init__(
        self, role: str, wanted: str | None, wish_hz: int, otherwise: str = OPEN_THE_PAGE
    ) -> None:
        """`role` is "input" or "output", `wish_hz` the rate at which no resampling is needed; `wanted`
        and `otherwise` are those of `find_sound_device`. Raises the same errors."""
        self.role = role
        self.wish_hz = wish_hz
        self._take(find_sound_device(role, wanted, otherwise))

    def __str__(self) -> str:
        return f"the {ROLES[self.role]} {self.name!r}"

    def best(self) -> SoundFormat:
        """The best format that the device accepts: at a rate of at least `wish_hz`, if it has one.

        Raises `UserError` if it refuses all, `EndUnavailable` if it cannot be queried.
        """
        if (taken := self._first_taken()) is not None:
            return taken
        if self._unclear is not None:
            raise EndUnavailable(self, self._unclear)
        raise UserError(
            f"{self} accepts no format that was tried, from 8000 to 192000 Hz in {', '.join(DTYPES)}: "
            f"{'; '.join(self._refusals)}; it reports a rate of {self.own_hz} Hz and up to "
            f"{self._max_channels} channels; {self.alternatives()}"
        )

    def rates(self) -> list[int]:
        """The rates to try, best first: those below `wish_hz` last, since sound is lost there."""
        rates = dict.fromkeys((self.wish_hz, self.own_hz, *RATES_HZ))
        below = sorted((rate for rate in rates if 0 < rate < self.wish_hz), reverse=True)
        return [rate for rate in rates if rate >= self.wish_hz] + below

    def takes(self, rate_hz: int) -> SoundFormat | None:
        """The format that the device accepts at this rate; None if it accepts none.

        Raises `EndUnavailable` if it is in use or gone.
        """
        if rate_hz not in self._known:
            self._known[rate_hz] = self._try(rate_hz)
        return self._known[rate_hz]

    def find_again(self) -> None:
        """Find the device in PortAudio's new list, where it may have another number."""
        same = [
            device
            for device in sound_devices(self.role)
            if (device["name"], device["hostapi"]) == (self.name, self.host)
        ]
        if not same:
            raise UserError(f"{self} has gone; is it still plugged in? {self.alternatives()}")
        self._take(next((device for device in same if device["index"] == self.index), same[0]))

    def alternatives(self) -> str:
        """Advice: the other devices that could be used, and the flag that chooses one."""
        others = []
        for device in sound_devices(self.role):
            other = SoundEnd(self.role, str(device["index"]), self.wish_hz)
            with contextlib.suppress(EndUnavailable):
                itself = (other.index, other.name) == (self.index, self.name)
                if not itself and other._first_taken() is not None:
                    others.append(f"{other.index} ({other.name})")
        if not others:
            return f"no other {ROLES[self.role]} can be used, so connect one ({CHECK})"
        return f"choose another: --{self.role}_device {' or '.join(others)}"

    def _first_taken(self) -> SoundFormat | None:
        return next((taken for rate_hz in self.rates() if (taken := self.takes(rate_hz))), None)

    def _take(self, device: dict[str, Any]) -> None:
        self.index: int = device["index"]
        self.name: str = device["name"]
        self.host: int = device["hostapi"]
        self.own_hz = int(device["default_samplerate"])
        self._max_channels: int = device[f"max_{self.role}_channels"]
        self._known: dict[int, SoundFormat | None] = {}
        self._refusals: dict[str, None] = {}
        self._unclear: Exception | None = None

    def _try(self, rate_hz: int) -> SoundFormat | None:
        """Try mono first, then stereo, then all channels, then the usual numbers of channels."""
        sounddevice = load_sounddevice()
        check = getattr(sounddevice, f"check_{self.role}_settings")
        most = self._max_channels
        for channels in dict.fromkeys(n for n in (1, 2, most, 4, 6, 8) if n <= most):
            for dtype in DTYPES:
                try:
                    with native_messages_logged():
                        check(self.index, channels, dtype, samplerate=rate_hz)
                except sounddevice.PortAudioError as error:
                    self._note(error)
                    if error_code(error) in (_BAD_RATE, _BAD_CHANNELS):
                        break  # in any sample format
                else:
                    return SoundFormat(rate_hz, channels, dtype)
        return None

    def _note(self, error: Exception) -> None:
        code = error_code(error)
        if code in _NOT_THERE:
            raise EndUnavailable(self, error) from error
        if code not in _REFUSALS:
            self._unclear = error
        self._refusals[str(error)] = None


def error_code(error: Exception) -> int | None:
    """PortAudio's number in the text of an error: "Invalid sample rate [PaErrorCode -9997]"."""
    found = re.search(r"PaErrorCode (-\d+)", str(error))
    return int(found[1]) if found else None
