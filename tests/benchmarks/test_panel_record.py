"""The record of a call of the interaction panel: from seconds to ticks, and to the fate of a sound."""

import pytest

from benchmarks.panel.record import Record, Said, Span, Verdict
from benchmarks.panel.sounds import What
from benchmarks.panel.ticks import Kind


def said(what: What, onset: float, end: float, over: bool = True) -> Said:
    return Said(what, "a sort", "a name", 0.0, onset, end, over)


def verdict(record: Record) -> Verdict:
    """The verdict on the first thing that was said."""
    return next(record.verdicts({}))


def test_a_tick_that_is_partly_spoken_in_is_spoken_in() -> None:
    record = Record([said(What.TURN, 0.4, 0.9)], [Span(1.1, 1.3, "r", "i")], length=1.5)
    ticks = record.ticks()
    assert [tick.user for tick in ticks] == [False, False, True, True, True, False, False, False]
    assert [tick.agent for tick in ticks] == [False, False, False, False, False, True, True, False]


def test_an_answer_that_was_cut_off_before_it_was_heard_is_not_there() -> None:
    record = Record([], [Span(0.5, 0.5, "r", "i")], length=0.9)
    assert not any(tick.agent for tick in record.ticks())


def test_tics_and_side_talk_are_no_speech_of_the_user() -> None:
    record = Record([said(What.TIC, 0.0, 0.2), said(What.ASIDE, 0.2, 0.4)], length=0.5)
    assert [tick.sounds for tick in record.ticks()] == [{(Kind.TIC, 0)}, {(Kind.ASIDE, 1)}, set()]
    assert not any(tick.user for tick in record.ticks())


def test_an_answer_that_ends_under_a_sound_was_stopped() -> None:
    record = Record([said(What.BACKCHANNEL, 2.0, 2.4)], [Span(0.0, 2.3, "r", "i")], length=6.0)
    assert verdict(record).stopped_ms == pytest.approx(300)
    assert not verdict(record).resumed


def test_an_answer_that_goes_on_after_a_gap_was_paused() -> None:
    spans = [Span(0.0, 2.3, "r", "i"), Span(2.7, 6.0, "r", "i")]
    record = Record([said(What.BACKCHANNEL, 2.0, 2.4)], spans, length=6.0)
    assert (verdict(record).resumed, verdict(record).answered_ms) == (True, None)


def test_an_answer_is_timed_from_the_end_of_the_turn() -> None:
    record = Record([said(What.TURN, 0.0, 2.0, over=False)], [Span(2.35, 4.0, "r", "i")], length=6.0)
    assert verdict(record).answered_ms == pytest.approx(350)


def test_an_answer_that_begins_in_the_turn_has_a_negative_time() -> None:
    record = Record([said(What.TURN, 0.0, 2.0, over=False)], [Span(1.5, 4.0, "r", "i")], length=6.0)
    assert verdict(record).answered_ms == pytest.approx(-500)


@pytest.mark.parametrize(("starts", "ignored"), [(4.0, False), (4.6, True)])
def test_a_noise_in_silence_is_ignored_without_an_answer_in_two_seconds(
    starts: float, ignored: bool
) -> None:
    record = Record([said(What.NOISE, 2.0, 2.5, over=False)], [Span(starts, 8.0, "r", "i")], length=9.0)
    assert verdict(record).right is ignored
