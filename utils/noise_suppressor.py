"""NoiseSuppressor: removes steady noise from the microphone's audio, block by block."""

import numpy as np

from pipeline.audio import Framer, from_pcm16, to_pcm16
from pipeline.errors import UserError
from pipeline.messages import Samples
from utils.installation import pip_install
from utils.webrtc import has_webrtc


def expect_noise_suppressor() -> None:
    """Raise `UserError` unless the library is installed."""
    if not has_webrtc():
        raise UserError(
            f"--audio_enhancement needs livekit, which is not installed; type: {pip_install('livekit')}"
        )


class NoiseSuppressor:
    """WebRTC's noise suppressor, from livekit: 0.03 ms for 10 ms of audio. One for each conversation."""

    def __init__(self, rate_hz: int) -> None:
        from livekit import rtc

        self._rate_hz = rate_hz
        self._frame = rtc.AudioFrame
        self._suppressor = rtc.AudioProcessingModule(noise_suppression=True, high_pass_filter=True)
        self._framer = Framer(rate_hz // 100)

    def __call__(self, samples: Samples) -> Samples:
        """Return the audio without the noise, in whole frames of 10 ms: it may lag by one frame."""
        quiet = [np.empty(0, np.float32)]
        for audio in self._framer.feed(samples):
            frame = self._frame(bytearray(to_pcm16(audio)), self._rate_hz, 1, len(audio))
            self._suppressor.process_stream(frame)
            quiet.append(from_pcm16(bytes(frame.data)))
        return np.concatenate(quiet)
