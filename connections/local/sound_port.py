"""SoundPort: the microphone and the loudspeaker, open together, whatever their formats."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from connections.local.sound_end import EndUnavailable, SoundEnd
from connections.local.sound_format import SoundFormat
from connections.local.sound_stream import SoundStream, StreamFailed
from pipeline.errors import UserError
from pipeline.messages import Samples
from utils.sound_devices import load_sounddevice, native_messages_logged

logger = logging.getLogger(__name__)

ATTEMPTS = 3
"""Attempts to open the devices. With ALSA some fail for no lasting reason: the devices are not ready at
the same moment, or the last program has not let go of one yet."""

PAUSE_S = 0.5
"""Pause between two attempts, for the hardware. PulseAudio needs some 0.2 s to reopen a card."""

Hear = Callable[[Samples, float | None], object]
"""Takes the microphone's audio, and the time of its first sample (monotonic; None: unknown)."""

Play = Callable[[int, float], Samples]
"""Returns this many samples for the loudspeaker, which will be heard so many seconds from now."""

OnStop = Callable[[str], object]
"""Takes the sentence that tells the user which device has stopped."""

T = TypeVar("T")


class Interrupted(UserError):
    """The user has stopped the program between two attempts to open the devices."""

    exit_code = 130


class SoundPort:
    """The two ends, each in mono float32 at the rate of its device, on the threads of the sound card.

    A stream for each, with a thread and a clock of its own. The loudspeaker's clock is that of the
    playout; the microphone's is not a clock: its audio carries the capture time. So two cards that drift
    apart, by up to 100 ppm, never run out of samples or pile them up. Only the echo canceller pairs the
    samples of one with those of the other, and it keeps measuring the delay.

    One duplex stream for both would read from the microphone only as much as the loudspeaker takes.
    After each underrun on PulseAudio the rest stays behind for good: with seven busy processes on two
    cores the microphone was 0.9 s late after 12 s, and later by the second. With two streams it stayed
    under 0.2 s.
    """

    def __init__(
        self,
        microphone: SoundEnd,
        loudspeaker: SoundEnd,
        block_samples: int,
        stopping: threading.Event,
    ) -> None:
        """`block_samples` is the length of a block at the rates that the ends wish for. `stopping` ends
        the pauses between attempts when it is set.

        Raises `UserError` if a device accepts no format, or cannot be queried in three attempts;
        `Interrupted`.
        """
        self._sounddevice = load_sounddevice()
        self._failures = self._sounddevice.PortAudioError, StreamFailed
        self._ends = microphone, loudspeaker
        self._block_samples = block_samples
        self._stopping = stopping
        self.microphone, self.loudspeaker = self._patiently(self._agree)

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two devices."""
        return self._ends[0].name, self._ends[1].name

    @property
    def played_samples(self) -> int:
        """The length of the blocks that the loudspeaker takes."""
        return self._block(self._ends[1], self.loudspeaker)

    def describe(self) -> list[str]:
        """Each end with its format, for a report."""
        formats = self.microphone, self.loudspeaker
        return [
            f"{end.role}: device {end.index} {end.name}, {taken}"
            for end, taken in zip(self._ends, formats, strict=True)
        ]

    @contextlib.contextmanager
    def open(self, hear: Hear, play: Play, on_stop: OnStop) -> Iterator[None]:
        """Run the streams for the length of the block. `on_stop` is called if one stops before that.
        Lines of C libraries, such as ALSA's about late blocks, go to the log meanwhile.

        Raises `UserError` if a device cannot be opened in three attempts; `Interrupted`.
        """
        with contextlib.ExitStack() as streams:
            streams.enter_context(native_messages_logged())
            streams.enter_context(self._patiently(lambda: self._start(hear, play, on_stop)))
            yield

    def find_again(self) -> None:
        """Find the devices again after a stream has stopped. Raises `UserError` if one has gone, which
        names others; `Interrupted`."""
        for number in range(1, ATTEMPTS + 1):
            if self._stopping.wait(PAUSE_S):
                raise Interrupted("stopped before the sound devices were open again")
            try:
                self._list_devices_anew()
            except UserError:
                if number == ATTEMPTS:
                    raise
            else:
                break

    def alternatives(self) -> str:
        """Advice: the other devices that could be used."""
        return "; ".join(end.alternatives() for end in self._ends)

    # -- the formats -------------------------------------------------------------------------------

    def _agree(self) -> tuple[SoundFormat, SoundFormat]:
        """The formats of both ends, at a common rate if one costs neither of them quality."""
        microphone, loudspeaker = self._ends
        if microphone.wish_hz == loudspeaker.wish_hz and microphone.host == loudspeaker.host:
            wish_hz = microphone.wish_hz
            for rate_hz in dict.fromkeys((wish_hz, *microphone.rates(), *loudspeaker.rates())):
                if rate_hz < wish_hz:
                    continue
                heard, played = microphone.takes(rate_hz), loudspeaker.takes(rate_hz)
                if heard is not None and played is not None:
                    return heard, played
        return microphone.best(), loudspeaker.best()

    def _block(self, end: SoundEnd, taken: SoundFormat) -> int:
        return max(1, self._block_samples * taken.rate_hz // end.wish_hz)

    # -- attempts ----------------------------------------------------------------------------------

    def _patiently(self, attempt: Callable[[], T]) -> T:
        """Make an attempt up to three times."""
        for number in range(1, ATTEMPTS + 1):
            try:
                return attempt()
            except EndUnavailable as error:
                if number == ATTEMPTS:
                    raise self._failure(error) from error
                logger.info("the sound devices do not open (%s); trying again", error)
            if self._stopping.wait(PAUSE_S):
                break
            self._list_devices_anew()
        raise Interrupted("stopped before the sound devices were open")

    def _list_devices_anew(self) -> None:
        """Restart PortAudio: only then does it list the devices again, and forget a broken one."""
        try:
            self._sounddevice._terminate()
            self._sounddevice._initialize()
        except self._sounddevice.PortAudioError as error:
            raise UserError(f"PortAudio does not restart: {error}; start this program again") from error
        for end in self._ends:
            end.find_again()

    def _failure(self, error: EndUnavailable) -> UserError:
        hint = "; another program may be using it" if error.in_use else ""
        return UserError(
            f"{error.end} could not be opened in {ATTEMPTS} attempts: {error}{hint}; "
            f"{error.end.alternatives()}"
        )

    # -- the streams -------------------------------------------------------------------------------

    def _start(self, hear: Hear, play: Play, on_stop: OnStop) -> contextlib.ExitStack:
        heard, played = self.microphone, self.loudspeaker

        def on_heard(data: Any, samples: int, times: Any, status: Any) -> None:
            hear(heard.decode(data), _captured_at(times))

        def on_played(out: Any, samples: int, times: Any, status: Any) -> None:
            out[:] = played.encode(play(samples, _ahead_s(times)))

        microphone, loudspeaker = self._ends
        with contextlib.ExitStack() as streams:
            for kind, end, taken, on_block in (
                ("RawOutputStream", loudspeaker, played, on_played),
                ("RawInputStream", microphone, heard, on_heard),
            ):
                try:
                    stream = SoundStream(
                        kind,
                        str(end),
                        on_block,
                        on_stop,
                        samplerate=taken.rate_hz,
                        blocksize=self._block(end, taken),
                        device=end.index,
                        channels=taken.channels,
                        dtype=taken.dtype,
                    )
                    streams.callback(stream.close)
                    stream.start()
                except self._failures as error:
                    raise EndUnavailable(end, error) from error
            return streams.pop_all()


def _ahead_s(times: Any) -> float:
    return max(0.0, float(times.outputBufferDacTime - times.currentTime))


def _captured_at(times: Any) -> float | None:
    if times.inputBufferAdcTime <= 0:  # not every sound server reports it
        return None
    return time.monotonic() - float(times.currentTime - times.inputBufferAdcTime)
