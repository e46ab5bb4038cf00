"""Silero and Moonshine, on the clock of the samples: what stops a reply, and what is answered."""

from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("moonshine_voice", reason="no wheel for this machine")

from benchmarks.barge_in import at_level, outcome, scripted_engines, spoken
from engines.engines import Engines
from pipeline.messages import Samples
from testing.sounds import TICS, hum, in_room

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    engines = scripted_engines()
    yield engines
    engines.close()


def sounds() -> dict[str, Samples]:
    chance = np.random.default_rng(3)
    aside = in_room(chance, spoken("Put the dishes in the cupboard.", "en-gb+f1"), 0.4, 1.0, 3000)
    return {
        "um": at_level(hum(chance, "um", 130), 0),
        "cough": at_level(TICS[0](chance, 130), 0),
        "sneeze": at_level(TICS[1](chance, 130), 0),
        "somebody else": at_level(aside, -13),
    }


@pytest.mark.parametrize("name", sounds())
def test_what_is_no_turn_neither_stops_a_reply_nor_gets_one(engines: Engines, name: str) -> None:
    over = outcome(engines, sounds()[name], in_silence=False)
    assert over.talks_through
    assert not over.stopped
    assert not outcome(engines, sounds()[name], in_silence=True).answered


@pytest.mark.parametrize("text", ["Stop.", "No.", "I wanted the other one.", "Tell me something else."])
def test_a_turn_does_both(engines: Engines, text: str) -> None:
    sound = at_level(spoken(text, "en-us+m2"), 0)
    assert outcome(engines, sound, in_silence=False).stopped
    assert outcome(engines, sound, in_silence=True).answered


def test_a_nod_as_loud_as_the_user_is_talked_through(engines: Engines) -> None:
    words = [spoken(text, "en-us+m2") for text in ("Yeah.", "Okay.", "Right.")]
    for sound in (*words, hum(np.random.default_rng(4), "mm-hm", 130)):
        over = outcome(engines, at_level(sound, 0), in_silence=False)
        assert over.talks_through
        assert not over.stopped
