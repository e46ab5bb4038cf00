"""Addressing: each feature moves the verdict in the direction that it should."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.addressing import FEATURES, TURNS_COMPARED, Addressing, Stretch, _model
from pipeline.timbre import Timbre
from testing.sounds import HUMS, RATE_HZ, TICS, hum, in_room, leveled
from tests.speech import spoken

USER = Timbre(level_db=-30, brightness_db=-16, voiced=0.8)
TURN = Stretch(USER, "that is not what I meant", "en", 1200, True, False, True)


@pytest.fixture
def judge() -> Addressing:
    judge = Addressing()
    judge.learn(USER)
    return judge


def test_the_file_has_a_weight_for_every_feature_of_every_case() -> None:
    assert set(_model()) == {"so_far", "answering", "silence"}
    for case in _model().values():
        assert set(case["weights"]) == set(FEATURES)


@pytest.mark.parametrize("answering", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_a_sentence_at_the_level_of_the_user_is_meant(
    judge: Addressing, answering: bool, whole: bool
) -> None:
    assert judge.is_meant(replace(TURN, answering=answering, whole=whole))


@pytest.mark.parametrize("answering", [True, False])
def test_far_and_soft_is_not_meant_unless_nothing_is_known_of_the_user(
    judge: Addressing, answering: bool
) -> None:
    far = replace(TURN, answering=answering, timbre=Timbre(-43, -26, 0.8))
    assert not judge.is_meant(far)
    assert Addressing().is_meant(far)


def test_what_was_refused_over_an_answer_is_meant_when_said_again(judge: Addressing) -> None:
    far = replace(TURN, timbre=Timbre(-43, -26, 0.8))
    assert not judge.is_meant(far)
    assert not judge.is_meant(replace(far, whole=False))
    assert judge.is_meant(replace(far, answering=False))
    assert not judge.is_meant(replace(far, answering=False, text="and now the weather for tomorrow"))


def test_a_nod_is_meant_in_silence_and_after_a_question(judge: Addressing) -> None:
    nod = replace(TURN, text="Okay.", spoken_ms=416)
    assert not judge.is_meant(nod)
    assert judge.is_meant(replace(nod, answering=False))
    assert judge.is_meant(replace(nod, asked=True))


def test_nothing_without_words_is_meant(judge: Addressing) -> None:
    assert not judge.is_meant(replace(TURN, text="...", asked=True))


@pytest.mark.parametrize("text", ["Stop.", "Wait!", "No.", "Why?"])
def test_a_short_interruption_is_meant(judge: Addressing, text: str) -> None:
    assert judge.is_meant(replace(TURN, text=text, spoken_ms=416))


def test_the_loudness_compared_is_the_median_of_the_turns(judge: Addressing) -> None:
    for level in (-20.0, -40.0, -31.0):
        judge.learn(replace(USER, level_db=level))
    assert judge.is_soft(replace(USER, level_db=-37), 6)
    assert not judge.is_soft(replace(USER, level_db=-35), 6)


def test_soft_speech_that_was_answered_does_not_become_the_user(judge: Addressing) -> None:
    far = replace(USER, level_db=-42)
    for _ in range(TURNS_COMPARED):
        judge.learn(far)
    assert judge.is_soft(far, 6)


def test_a_user_who_moved_away_is_known_again(judge: Addressing) -> None:
    far = replace(USER, level_db=-42)
    for _ in range(2 * TURNS_COMPARED):
        judge.learn(far)
    assert not judge.is_soft(far, 6)


def test_a_turn_of_the_user_among_soft_speech_counts_for_the_user(judge: Addressing) -> None:
    far = replace(USER, level_db=-42)
    for number in range(3 * TURNS_COMPARED):
        judge.learn(USER if number % TURNS_COMPARED == 0 else far)
    assert judge.is_soft(far, 6)


def test_the_timbre_of_sounds() -> None:
    chance = np.random.default_rng(5)
    voice = leveled(spoken("The train leaves in an hour."))
    near, far = Timbre.of(voice, RATE_HZ), Timbre.of(in_room(chance, voice, 0.4, 1, 2500), RATE_HZ)
    assert near is not None
    assert far is not None
    assert far.brightness_db < near.brightness_db - 4
    hums = [Timbre.of(hum(chance, kind, 120), RATE_HZ) for kind in HUMS]
    assert all(each is not None and each.voiced > 0.7 for each in hums)
    cough = Timbre.of(TICS[0](chance, 120), RATE_HZ)
    assert cough is not None
    assert cough.voiced < 0.6
    softer = Timbre.of(voice * np.float32(0.5), RATE_HZ)
    assert softer is not None
    assert near.level_db - softer.level_db == pytest.approx(6.02, abs=0.01)


def test_silence_has_no_timbre() -> None:
    assert Timbre.of(np.zeros(RATE_HZ, np.float32), RATE_HZ) is None
    assert Timbre.of(np.ones(600, np.float32), RATE_HZ) is None
