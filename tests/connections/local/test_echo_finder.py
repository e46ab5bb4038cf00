"""Finding the echo: headphones are noticed, and a loudspeaker is never taken for them."""

from collections.abc import Iterator

import numpy as np
import pytest

from connections.local.echo_finder import EchoFinder, Verdict
from pipeline.audio import resample
from pipeline.messages import Samples
from tests.connections.local.room import noise, room
from tests.speech import RATE_HZ, moonshine_asset, silence, spoken

BEGINS_S = 2.0
"""Silence before the reply, from which the noise floor is known."""


@pytest.fixture(scope="module", params=["human", "espeak"])
def reply(request: pytest.FixtureRequest) -> Samples:
    if request.param == "human":
        speech = moonshine_asset("two_cities.wav")[: 6 * RATE_HZ]
    else:
        speech = spoken(
            "I have looked at the map: the station is behind the church, and it is not far. Go on."
        )
    return np.concatenate((silence(2000), speech))


@pytest.fixture(scope="module")
def user() -> Samples:
    return moonshine_asset("beckett.wav")[: 6 * RATE_HZ]


def verdicts(
    played: Samples, heard: Samples, heard_hz: int = RATE_HZ, played_hz: int = RATE_HZ
) -> Iterator[tuple[float, Verdict]]:
    """The changes of the verdict, in seconds since the reply began. Blocks last 32 ms."""
    played, heard = resample(played, RATE_HZ, played_hz), resample(heard, RATE_HZ, heard_hz)
    finder = EchoFinder(heard_hz, played_hz)
    for number in range(int(len(heard) / heard_hz / 0.032)):
        before = finder.verdict
        if number == int(BEGINS_S / 0.032):
            finder.align()
        finder.played(block(played, played_hz, number))
        finder.heard(block(heard, heard_hz, number))
        if finder.verdict is not before:
            yield (number + 1) * 0.032 - BEGINS_S, finder.verdict


def block(samples: Samples, rate_hz: int, number: int) -> Samples:
    return samples[round(0.032 * rate_hz * number) : round(0.032 * rate_hz * (number + 1))]


@pytest.mark.parametrize("floor_db", [-70, -60, -50])
def test_headphones_are_noticed_in_the_first_seconds(reply: Samples, floor_db: int) -> None:
    [(second, verdict)] = verdicts(reply, noise(len(reply), floor_db))
    assert verdict is Verdict.NO_ECHO
    assert second < 2.5


@pytest.mark.parametrize(
    ("heard_hz", "played_hz"), [(44100, 48000), (8000, 22050), (11025, 8000), (16000, 192000)]
)
def test_any_two_rates(reply: Samples, heard_hz: int, played_hz: int) -> None:
    alone = noise(len(reply), -60)
    echo = alone + room(reply, 60, 0.3)
    assert [v for _, v in verdicts(reply, alone, heard_hz, played_hz)] == [Verdict.NO_ECHO]
    assert [v for _, v in verdicts(reply, echo, heard_hz, played_hz)] == [Verdict.ECHO]


@pytest.mark.parametrize("gain", [0.03, 0.3, 0.8])
@pytest.mark.parametrize("delay_ms", [0, 40, 120, 250])
@pytest.mark.parametrize("speaks", [False, True])
def test_an_echo_is_found(
    reply: Samples, user: Samples, delay_ms: int, gain: float, speaks: bool
) -> None:
    microphone = noise(len(reply), -60) + room(reply, delay_ms, gain)
    if speaks:  # as loud as the loudest of these echoes; the softest may go unnoticed below that
        begins = len(reply) - len(user)
        microphone[max(begins, 0) :] += user[max(-begins, 0) :]
    found = [verdict for _, verdict in verdicts(reply, microphone)]
    assert found == [Verdict.ECHO] or (speaks and gain < 0.1 and not found)


def test_a_microphone_that_is_switched_off_proves_nothing(reply: Samples) -> None:
    assert not list(verdicts(reply, np.zeros_like(reply)))


def test_nothing_is_known_while_the_user_speaks_over_the_first_reply(
    reply: Samples, user: Samples
) -> None:
    talk = np.tile(user, 2)[: len(reply)]
    assert not [v for _, v in verdicts(reply, talk + noise(len(reply), -60)) if v is Verdict.NO_ECHO]


@pytest.mark.parametrize("unplugged_s", [3.0, 3.4, 4.1, 5.3])
def test_headphones_that_are_unplugged_are_noticed(unplugged_s: float) -> None:
    reply = np.concatenate((silence(2000), moonshine_asset("two_cities.wav")[: 8 * RATE_HZ]))
    echo = room(reply, 60, 0.5)
    echo[: int((BEGINS_S + unplugged_s) * RATE_HZ)] = 0
    (_, none), (second, found) = verdicts(reply, noise(len(reply), -60) + echo)
    assert (none, found) == (Verdict.NO_ECHO, Verdict.ECHO)
    assert second - unplugged_s < 0.6
