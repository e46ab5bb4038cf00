"""LocalAudioStreamer: the microphone and the loudspeaker of this machine."""

import contextlib
import logging
import math
import sys
import threading
import time
from collections import deque
from typing import Any

import numpy as np

from arguments_classes.local_arguments import LocalArguments
from connections.base import CLOSE_S, OpenSession
from connections.local.echo import choose_echo_canceller
from connections.local.talk_key import HELP, TalkKey, expect_terminal
from pipeline.audio import Gain, clean, from_pcm16, to_pcm16
from pipeline.capabilities import Capabilities
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame
from utils.shutdown import StopRequest
from utils.sound_devices import find_sound_device, load_sounddevice

logger = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 16000
"""The recognizer's rate; a device that does not support it runs at its own."""

BLOCKS_AHEAD = 2
"""The block that plays next and the one after it: 64 ms with the usual block size."""


class LocalAudioStreamer:
    """One duplex stream: each callback brings a block from the microphone and takes one for the
    loudspeaker, so the sound card is the clock of the playout."""

    def __init__(self, arguments: LocalArguments, shutdown: StopRequest) -> None:
        self._shutdown = shutdown
        self._push_to_talk = arguments.push_to_talk
        if self._push_to_talk:
            expect_terminal()
        self._sounddevice = load_sounddevice()
        self._devices = (
            find_sound_device("input", arguments.input_device),
            find_sound_device("output", arguments.output_device),
        )
        self.rate_hz = self._usable_rate()
        self.frame_samples = arguments.list_play_chunk_size * self.rate_hz // SAMPLE_RATE_HZ
        wants_echo_cancelled = arguments.echo_cancellation and not arguments.headphones
        self._echo = choose_echo_canceller(self.rate_hz, self.rate_hz) if wants_echo_cancelled else None
        self.full_duplex = arguments.headphones or self._echo is not None
        self._blocks: deque[Samples] = deque()
        self._silent_at = -math.inf
        self._gain = Gain()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._error: Exception | None = None
        self._session: Session

    def run(self, open_session: OpenSession, capabilities: Capabilities = Capabilities()) -> int:
        """Run one session until Ctrl-C, or until the device goes away."""
        self._session = open_session(self, "local")
        self._shutdown.on_stop(self._ended.set)
        names = [self._sounddevice.query_devices(device)["name"] for device in self._devices]
        keys = TalkKey(self._session) if self._push_to_talk else contextlib.nullcontext()
        try:
            with keys, self._open_stream():
                print(
                    f"  listening to {names[0]}, speaking through {names[1]}; Ctrl-C ends",
                    file=sys.stderr,
                )
                if self._push_to_talk:
                    print(f"  {HELP}", file=sys.stderr)
                self._ended.wait()
        finally:
            self._session.close("stopped")
            self._session.join(CLOSE_S)
        if self._shutdown.requested.is_set():
            return 130
        cause = f" ({self._error})" if self._error else ""
        raise UserError(f"the sound device stopped{cause}; is it still plugged in?")

    # -- the sink ----------------------------------------------------------------------------------

    def room_at(self, now: float) -> float:
        """Now, or when the sound card has taken a block."""
        return now if len(self._blocks) < BLOCKS_AHEAD else math.inf

    def heard_all_at(self, now: float) -> float:
        """When the last block will have left the loudspeaker, once it was taken."""
        return math.inf if self._blocks else self._silent_at

    def unheard(self, now: float) -> int:
        """Number of samples that wait here and in the sound card."""
        in_card = max(0.0, self._silent_at - now) if self._silent_at > -math.inf else 0.0
        return len(self._blocks) * self.frame_samples + math.ceil(in_card * self.rate_hz)

    def play(self, frame: Frame) -> None:
        """Keep a block for the sound card."""
        with self._lock:
            self._blocks.append(clean(frame.samples))

    def flush(self, turn: int, sample: int) -> bool:
        """Drop the waiting blocks; silence follows."""
        with self._lock:
            self._blocks.clear()
        return True

    def duck(self, turn: int, gain: float) -> bool:
        """Spread the change over the next block."""
        self._gain.target = gain
        return True

    # -- the sound card ----------------------------------------------------------------------------

    def _on_block(self, heard: Any, played: Any, samples: int, times: Any, status: Any) -> None:
        """Called on the thread of the sound card; must not wait."""
        if status:
            logger.debug("the sound card reports: %s", status)
        try:
            ahead_s = times.outputBufferDacTime - times.currentTime
            block, audio = self._next_block(samples, max(0.0, ahead_s)), from_pcm16(heard)
            played[:] = to_pcm16(block)
            if self._echo is not None:
                self._echo.played(block)
                audio = self._echo.cancel(audio)
            ago_s = times.currentTime - times.inputBufferAdcTime
            captured_at = time.monotonic() - ago_s if times.inputBufferAdcTime > 0 else None
            self._session.feed(audio, self.rate_hz, captured_at)
        except Exception as error:
            self._error = error
            raise self._sounddevice.CallbackAbort from error

    def _next_block(self, samples: int, ahead_s: float) -> Samples:
        with self._lock:
            block = self._blocks.popleft() if self._blocks else None
        if block is None:
            return np.zeros(samples, np.float32)
        self._silent_at = time.monotonic() + ahead_s + samples / self.rate_hz
        self._session.playout.wake()
        return self._gain.apply(block)

    def _open_stream(self) -> Any:
        try:
            return self._sounddevice.RawStream(
                samplerate=self.rate_hz,
                blocksize=self.frame_samples,
                device=self._devices,
                channels=1,
                dtype="int16",
                latency="low",
                callback=self._on_block,
                finished_callback=self._ended.set,
            )
        except self._sounddevice.PortAudioError as error:
            raise UserError(
                f"the sound device cannot be opened: {error}; --check lists others"
            ) from error

    def _usable_rate(self) -> int:
        """16 kHz if both devices support it, else a rate that they do."""
        sd, (microphone, loudspeaker) = self._sounddevice, self._devices
        own = [int(sd.query_devices(device)["default_samplerate"]) for device in self._devices]
        reason: Exception | None = None
        for rate_hz in (SAMPLE_RATE_HZ, *own, 48000, 44100):
            try:
                sd.check_input_settings(microphone, 1, "int16", samplerate=rate_hz)
                sd.check_output_settings(loudspeaker, 1, "int16", samplerate=rate_hz)
            except sd.PortAudioError as error:
                reason = error
            else:
                return rate_hz
        raise UserError(
            f"the microphone and the loudspeaker have no sample rate in common ({reason}); see --check"
        )
