"""Echo cancellation in simulated rooms: the reply triggers no turn and hides no interruption."""

import numpy as np
import pytest

from connections.local.echo import EchoCanceller
from pipeline.audio import resample
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from tests.connections.local.room import noise, room
from tests.speech import RATE_HZ, moonshine_asset, silence, spoken
from utils.webrtc import has_webrtc
from VAD.endpointer import Endpointer, Voice
from VAD.silero import SileroDetector

BLOCK = 512

pytestmark = pytest.mark.skipif(not has_webrtc(), reason="livekit is not installed")


def cleaned(reply: Samples, microphone: Samples) -> Samples:
    """Run audio through the canceller, in blocks like those of one sound card."""
    canceller = EchoCanceller(RATE_HZ, RATE_HZ)
    blocks = []
    for start in range(0, len(reply) - BLOCK + 1, BLOCK):
        canceller.played(reply[start : start + BLOCK])
        blocks.append(canceller.cancel(microphone[start : start + BLOCK]))
    return np.concatenate(blocks)


def happened(audio: Samples) -> list[tuple[Voice, float]]:
    """The speech that the voice detector finds, in seconds."""
    stream, endpointer = SileroDetector().open(), Endpointer(EndpointerSettings(), 32)
    found: list[tuple[Voice, float]] = []
    for start in range(0, len(audio) - 512, 512):
        voice = endpointer.step(stream.probability(audio[start : start + 512]))
        if voice is not Voice.NOTHING:
            found.append((voice, start / RATE_HZ))
    return found


@pytest.fixture(scope="module")
def reply() -> Samples:
    """A person who reads: identical to the last bit each time, unlike eSpeak."""
    return np.concatenate(
        (silence(500), moonshine_asset("two_cities.wav")[: 12 * RATE_HZ], silence(500))
    )


@pytest.mark.parametrize("gain", [0.3, 0.8])
@pytest.mark.parametrize("delay_ms", [40, 120, 250])
def test_a_reply_on_loudspeakers_triggers_nothing(reply: Samples, delay_ms: int, gain: float) -> None:
    echo = room(reply, delay_ms, gain) + noise(len(reply), -66)
    assert Voice.CONFIRMED in [voice for voice, _ in happened(echo)], "or this would test nothing"
    assert Voice.CONFIRMED not in [voice for voice, _ in happened(cleaned(reply, echo))]


@pytest.mark.parametrize("delay_ms", [40, 120, 250])
def test_who_speaks_over_it_is_heard_though_the_echo_is_louder(reply: Samples, delay_ms: int) -> None:
    echo, at = room(reply, delay_ms, 0.8), 6 * RATE_HZ
    user = moonshine_asset("beckett.wav")[: 3 * RATE_HZ]
    loudness = np.sqrt(np.mean(echo[at : at + len(user)] ** 2)) / np.sqrt(np.mean(user**2)) / 2
    microphone = echo.copy()
    microphone[at : at + len(user)] += loudness * user  # 6 dB under the echo
    confirmed = [
        second for voice, second in happened(cleaned(reply, microphone)) if voice is Voice.CONFIRMED
    ]
    assert min(confirmed) > 6


def test_who_wears_headphones_is_heard_as_recorded_over_the_first_answer(reply: Samples) -> None:
    """And if the headphones are unplugged, the reply is muted before it counts as an interruption."""
    reply = np.concatenate((silence(2000), reply))
    microphone, unplugged = noise(len(reply), -60), 9 * RATE_HZ
    user, at = moonshine_asset("beckett.wav")[: 2 * RATE_HZ], 5 * RATE_HZ
    microphone[at : at + len(user)] += user
    microphone[unplugged:] += room(reply, 60, 0.5)[unplugged:]
    passed = cleaned(reply, microphone)
    assert np.array_equal(passed[at : at + len(user)], microphone[at : at + len(user)])
    speech = [second for voice, second in happened(passed[8 * RATE_HZ :]) if voice is Voice.ONSET]
    assert max(speech, default=0) < 1.5
    assert not np.any(passed[unplugged + RATE_HZ // 2 : unplugged + 2 * RATE_HZ])


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
def test_the_first_question_is_heard_before_anything_was_played(rate_hz: int) -> None:
    question = np.concatenate((silence(300), spoken("What time is it?"), silence(700)))
    found = happened(heard_by_two_cards(np.zeros_like(question), question, rate_hz, rate_hz))
    assert [voice for voice, _ in found][-1] is Voice.ENDED


@pytest.mark.parametrize(
    ("heard_hz", "played_hz"),
    [
        (16000, 24000),
        (44100, 48000),
        (48000, 44100),
        (32000, 48000),
        (8000, 48000),
        (48000, 8000),
        (22050, 11025),
        (96000, 96000),
        (192000, 44100),
    ],
)
def test_loudspeaker_and_microphone_may_have_different_rates(
    reply: Samples, heard_hz: int, played_hz: int
) -> None:
    audio = heard_by_two_cards(reply, room(reply, 60, 0.5), heard_hz, played_hz)
    assert Voice.CONFIRMED not in [voice for voice, _ in happened(audio)]


def test_cards_that_drift_apart(reply: Samples) -> None:
    """The microphone's card is 200 ppm fast: in the minute the echo comes 12 ms later and later."""
    minute = np.tile(reply, 5)
    echo = room(minute, 60, 0.5)
    heard = resample(echo, 50000, 50010).astype(np.float32)
    audio = heard_by_two_cards(minute, heard, 44100, 48000, fast_ppm=200)
    assert len(audio) > 60 * RATE_HZ
    assert Voice.CONFIRMED not in [voice for voice, _ in happened(audio)]


def heard_by_two_cards(
    reply: Samples, microphone: Samples, heard_hz: int, played_hz: int, fast_ppm: float = 0
) -> Samples:
    """Run audio through the canceller in blocks of 32 ms, each card's at its own times, and late at
    random, by up to 8 ms, as threads are. `microphone` and the result are at the recognizer's rate."""
    canceller = EchoCanceller(heard_hz, played_hz)
    late = np.random.default_rng(3)
    calls = []
    for call, samples, from_hz, clock in (
        (canceller.played, reply, played_hz, 1.0),
        (canceller.cancel, microphone, heard_hz, 1 + fast_ppm / 1e6),
    ):
        audio = resample(samples, RATE_HZ, from_hz)
        size = BLOCK * from_hz // RATE_HZ
        for number in range(len(audio) // size):
            at_s = (number + 1) * size / (from_hz * clock) + late.uniform(0, 0.008)
            calls.append((at_s, call, audio[number * size : (number + 1) * size]))
    cleaned = [result for _, call, block in sorted(calls, key=lambda call: call[0])
               if (result := call(block)) is not None]  # fmt: skip
    return resample(np.concatenate(cleaned), heard_hz, RATE_HZ)
