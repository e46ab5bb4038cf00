"""LocalAudioStreamer: the microphone and the loudspeaker of this machine."""

import math
import threading
import time
from collections import deque

import numpy as np

from arguments_classes.local_arguments import LocalArguments
from connections.base import CLOSE_S, OpenSession
from connections.local.echo import choose_echo_canceller
from connections.local.microphone_lag import MicrophoneLag
from connections.local.sound_end import SoundEnd
from connections.local.sound_port import SoundPort
from engines.upgrades import Upgrades
from listeners.start_panel import describe, show_keys, show_panel
from pipeline.audio import Gain, clean
from pipeline.capabilities import Capabilities
from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.sink import Frame
from utils.keyboard import has_keyboard
from utils.shutdown import StopRequest
from utils.sound_devices import ROLES
from utils.streams import tell

SAMPLE_RATE_HZ = 16000
"""The recognizer's rate; a device that does not accept it runs at another."""

REOPENED = 2
"""Times that devices are opened again that have stopped: an overrun, a plug that was moved."""

STEADY_S = 30.0
"""Devices that ran for this long and then stop are opened again as often as at first."""

BLOCKS_AHEAD = 2
"""The block that plays next and the one after it: 64 ms with the usual block size."""


class LocalAudioStreamer:
    """The sound card is the clock of the playout: each of its callbacks takes a block for the
    loudspeaker. Microphone and loudspeaker may have rates and threads of their own (`SoundPort`)."""

    def __init__(self, arguments: LocalArguments, shutdown: StopRequest) -> None:
        self._shutdown = shutdown
        if arguments.push_to_talk and not has_keyboard():
            raise UserError(
                "--push_to_talk needs a terminal with a keyboard; without the flag, you talk hands-free"
            )
        self._port = choose_port(arguments, shutdown.requested)
        self._heard_hz = self._port.microphone.rate_hz
        self.rate_hz = self._port.loudspeaker.rate_hz
        self.frame_samples = self._port.played_samples
        wants_echo_cancelled = arguments.echo_cancellation and not arguments.headphones
        self._echo = (
            choose_echo_canceller(self._heard_hz, self.rate_hz) if wants_echo_cancelled else None
        )
        self.full_duplex = arguments.headphones or self._echo is not None
        self._lag = MicrophoneLag()
        self._blocks: deque[Samples] = deque()
        self._silent_at = -math.inf
        self._gain = Gain()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._stopped = ""
        self._has_offers = False
        self._session: Session

    def run(
        self,
        open_session: OpenSession,
        capabilities: Capabilities = Capabilities(),
        upgrades: Upgrades | None = None,
    ) -> int:
        """Run one session until Ctrl-C, or until the device goes away."""
        offers = [] if upgrades is None or not has_keyboard() else upgrades.offers()
        self._has_offers = bool(offers)
        offered = {state.offer.stage for state in offers}
        show_panel(describe(capabilities.describe(), self._sound(), offered))
        self._session = open_session(self, "local")
        try:
            self._talk()
        finally:
            self._session.close("stopped")
            self._session.join(CLOSE_S)
        return 130

    def _talk(self) -> None:
        """Exchange audio until Ctrl-C. Devices that stop are opened again. Raises `UserError` if they
        keep stopping."""
        stops = 0
        while not self._shutdown.requested.is_set():
            self._ended.clear()
            self._shutdown.on_stop(self._ended.set)
            with self._port.open(self._hear, self._next_block, self._on_stop):
                began = time.monotonic()
                if not self._stopped:
                    show_keys(self._session, has_offers=self._has_offers)
                self._ended.wait()
            if self._shutdown.requested.is_set():
                return
            stops = 1 if time.monotonic() - began > STEADY_S else stops + 1
            if stops > REOPENED:
                raise UserError(f"{self._stopped}, for the third time; {self._port.alternatives()}")
            tell(f"{self._stopped}; opening it again")
            self._port.find_again()

    def _sound(self) -> str:
        """The devices, and what keeps the program from hearing itself."""
        microphone, loudspeaker = (
            name if name != "default" else f"default {ROLES[role]}"
            for role, name in zip(("input", "output"), self._port.names, strict=True)
        )
        if self._echo is not None:
            about = "echo removed"
        else:
            about = "headphones" if self.full_duplex else "does not listen while it speaks"
        return f"{microphone} ▸ {loudspeaker} ({about})"

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

    # -- the sound card, on its threads; must not wait --------------------------------------------

    def _hear(self, audio: Samples, captured_at: float | None) -> None:
        if captured_at is not None:
            length_s = len(audio) / self._heard_hz
            told = self._lag.hear(length_s, time.monotonic() - captured_at - length_s)
            if told is not None:
                self._session.report("microphone", EngineError(told, "microphone_late"))
        if self._echo is not None:
            audio = self._echo.cancel(audio)
        self._session.feed(audio, self._heard_hz, captured_at)

    def _next_block(self, samples: int, ahead_s: float) -> Samples:
        with self._lock:
            block = self._blocks.popleft() if self._blocks else None
        if block is None:
            block = np.zeros(samples, np.float32)
        else:
            self._silent_at = time.monotonic() + ahead_s + samples / self.rate_hz
            self._session.playout.wake()
            block = self._gain.apply(block)
        if self._echo is not None:
            self._echo.played(block)
        return block

    def _on_stop(self, sentence: str) -> None:
        self._stopped = sentence
        self._ended.set()


def choose_port(arguments: LocalArguments, stopping: threading.Event | None = None) -> SoundPort:
    """The devices that these flags choose, with their formats. Raises `UserError`."""
    microphone = SoundEnd("input", arguments.input_device, SAMPLE_RATE_HZ)
    loudspeaker = SoundEnd("output", arguments.output_device, SAMPLE_RATE_HZ)
    return SoundPort(
        microphone, loudspeaker, arguments.list_play_chunk_size, stopping or threading.Event()
    )
