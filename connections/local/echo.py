"""EchoCanceller: removes the loudspeaker's sound from the microphone's."""

import threading

import numpy as np

from connections.local.echo_finder import EchoFinder, Verdict
from pipeline.audio import Framer, from_pcm16, to_pcm16
from pipeline.messages import Samples
from utils.installation import pip_install
from utils.streams import tell
from utils.webrtc import has_webrtc

FRAMES_PER_S = 100
"""The canceller works on 10 ms at a time, in samples rounded down: 220 at 22,050 Hz. It accepts every
rate from 8 to 192 kHz."""

LEARNING_S = 3.0
"""The amount of reply audio needed to learn the room. Until then the rest of the echo would pass for
speech, so the microphone is muted while it lasts. In simulated rooms, with echoes 40 to 250 ms late and
up to 6 dB louder than the user, the last such sound came 2.8 s after the first word; after that, one
room of 32 had one, of 0.2 s, which pauses a reply for a moment."""

LEARNING_FRAMES = int(LEARNING_S * FRAMES_PER_S)

AUDIBLE = 0.001
"""Amplitude above which a frame is sound that the canceller can learn from."""

HALF_DUPLEX = (
    "the program does not listen while it speaks, since no echo canceller is installed: "
    f"{pip_install('livekit')}, or wear headphones and add --headphones"
)

DIES_AWAY_S = 0.5
"""Duration of an echo after its sound was played: the way to the loudspeaker and back, and the
room."""


def choose_echo_canceller(heard_rate_hz: int, played_rate_hz: int) -> "EchoCanceller | None":
    """An echo canceller; None if there is none, after telling the user the effect and the remedy."""
    if has_webrtc():
        return EchoCanceller(heard_rate_hz, played_rate_hz)
    tell(HALF_DUPLEX)
    return None


class EchoCanceller:
    """WebRTC's echo canceller, packaged by livekit: 0.08 ms for 10 ms of audio.

    It works for the sound devices of this process, since only their played audio is known.
    Loudspeaker and microphone may have their own threads, rates and clocks: the canceller keeps
    measuring the delay between them, also while it drifts.

    With headphones there is nothing to cancel, and a canceller that has learned nothing garbles words:
    once the microphone was heard to have no echo, it passes as it is, until there is one.
    """

    def __init__(self, heard_rate_hz: int, played_rate_hz: int) -> None:
        from livekit import rtc

        self._frame = rtc.AudioFrame
        # The noise suppressor removes what is left; it costs the recognizer one word in 300.
        self._canceller = rtc.AudioProcessingModule(
            echo_cancellation=True, noise_suppression=True, high_pass_filter=True
        )
        self._canceller.set_stream_delay_ms(0)  # it finds the delay itself
        self._heard_rate_hz, self._played_rate_hz = heard_rate_hz, played_rate_hz
        self._heard = Framer(heard_rate_hz // FRAMES_PER_S)
        self._played = Framer(played_rate_hz // FRAMES_PER_S)
        self._finder = EchoFinder(heard_rate_hz, played_rate_hz)
        self._bypassed = False
        self._to_learn = LEARNING_FRAMES
        self._sounding = 0
        self._lock = threading.Lock()

    def played(self, samples: Samples) -> None:
        """Take note of audio that goes to the loudspeaker."""
        with self._lock:
            for audio in self._played.feed(samples):
                frame = self._frame(to_pcm16(audio), self._played_rate_hz, 1, len(audio))
                self._canceller.process_reverse_stream(frame)
                audible = np.max(np.abs(audio)) >= AUDIBLE
                if audible and self._sounding <= 0:
                    self._finder.align()
                self._finder.played(audio)
                if audible:
                    self._to_learn -= 1
                    self._sounding = int(DIES_AWAY_S * FRAMES_PER_S)

    def cancel(self, samples: Samples) -> Samples:
        """The microphone's audio without the echo, in whole frames: it may lag by up to 10 ms.

        As long as there is none, the audio is not touched."""
        cleaned = [np.empty(0, np.float32)]
        with self._lock:
            for audio in self._heard.feed(samples):
                data = bytearray(to_pcm16(audio))
                frame = self._frame(data, self._heard_rate_hz, 1, len(audio))
                self._canceller.process_stream(frame)
                self._sounding -= 1
                if self._has_no_echo(audio):
                    cleaned.append(audio)
                    continue
                believed = self._to_learn <= 0 or self._sounding <= 0
                cleaned.append(from_pcm16(bytes(frame.data)) * np.float32(believed))
        return np.concatenate(cleaned)

    def _has_no_echo(self, audio: Samples) -> bool:
        self._finder.heard(audio)
        had_none, self._bypassed = self._bypassed, self._finder.verdict is Verdict.NO_ECHO
        if had_none and not self._bypassed:
            self._to_learn = LEARNING_FRAMES  # the headphones were unplugged
        return self._bypassed
