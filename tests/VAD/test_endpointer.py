"""Endpointing, counted in windows of 32 ms."""

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline.settings import EndpointerSettings
from VAD.endpointer import SHORT_PAUSE_MS, Endpointer, Voice

WINDOW_MS = 32


def run(probabilities: Sequence[float], **settings: Any) -> list[tuple[str, int]]:
    """The outcomes, each with its window (counted from 1)."""
    defaults = {"thresh": 0.5, "min_silence_ms": 96, "min_speech_ms": 64}
    endpointer = Endpointer(EndpointerSettings(**(defaults | settings)), WINDOW_MS)
    happened = []
    for number, probability in enumerate(probabilities, 1):
        voice = endpointer.step(probability)
        if voice is not Voice.NOTHING:
            happened.append((voice.value, number))
    return happened


def test_an_utterance_is_begun_confirmed_and_ended() -> None:
    expected = [("onset", 3), ("confirmed", 4), ("paused", 6), ("ended", 8)]
    assert run([0, 0, 1, 1, 1, 0, 0, 0, 0]) == expected


def test_a_click_is_rejected_after_a_short_while() -> None:
    assert run([0, 1] + [0] * 9) == [("onset", 2), ("rejected", 7)]


def test_a_stop_consonant_within_the_first_syllables_does_not_reject() -> None:
    expected = [("onset", 1), ("confirmed", 5), ("paused", 6), ("ended", 8)]
    assert run([1, 0, 0, 0, 1, 0, 0, 0]) == expected


def test_speech_ends_at_a_lower_probability_than_it_begins() -> None:
    assert run([0.4, 0.4]) == []
    wavering = [0.6, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4]
    assert run(wavering) == [("onset", 1), ("confirmed", 2)], "0.4 holds what 0.6 began"
    assert run([*wavering, 0.3, 0.3, 0.3])[-1] == ("ended", 10)


def test_once_silence_has_begun_only_clear_speech_ends_it() -> None:
    """Silero's own iterator does the same: wavering probabilities in a pause belong to the pause."""
    assert run([1, 1, 0, 0.4, 0.4])[-1] == ("ended", 5)
    assert run([1, 1, 0, 0.6, 0.6])[-1] == ("resumed", 4)


def test_start_and_end_are_known_in_windows() -> None:
    endpointer = Endpointer(EndpointerSettings(thresh=0.5, min_silence_ms=96, min_speech_ms=64), 32)
    for probability in [0, 0, 1, 1, 1, 0, 0, 0]:
        endpointer.step(probability)
    assert (endpointer.start, endpointer.end, endpointer.windows) == (2, 5, 8)


def test_what_was_left_out_ends_what_was_going_on() -> None:
    endpointer = Endpointer(EndpointerSettings(), WINDOW_MS)
    endpointer.step(1)
    endpointer.skip(10)
    assert not endpointer.in_speech
    assert endpointer.windows == 11


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_the_defaults_in_windows(rate_hz: int) -> None:
    happened = run([1] * 20 + [0] * 20, thresh=0.3, min_silence_ms=500, min_speech_ms=200)
    assert happened == [("onset", 1), ("confirmed", 7), ("paused", 21), ("ended", 36)]


def test_a_short_pause_is_told_once_and_taken_back() -> None:
    speech = [1] * 10 + [0] * 8
    happened = run(speech * 2 + [0] * 20, thresh=0.3, min_silence_ms=500, min_speech_ms=200)
    assert happened[1:] == [
        ("confirmed", 7),
        ("paused", 11),
        ("resumed", 19),
        ("paused", 29),
        ("ended", 44),
    ]


def test_in_a_hurry_a_short_pause_is_the_end() -> None:
    endpointer = Endpointer(EndpointerSettings(), WINDOW_MS)
    endpointer.patience_ms = SHORT_PAUSE_MS
    voices = [endpointer.step(probability) for probability in [1] * 10 + [0]]
    assert voices[-1] is Voice.ENDED
