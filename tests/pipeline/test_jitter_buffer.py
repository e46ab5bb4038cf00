"""The pieces of a full-duplex reply that are played, shortened or left out."""

import numpy as np

from pipeline.jitter_buffer import CALM_S, LATE_S, PATIENCE_S, REPORT_S, JitterBuffer
from pipeline.messages import Speech
from pipeline.settings import SessionSettings
from pipeline.turn import Origin, Turn, TurnState

RATE_HZ = 16000
FRAME_S = 0.08
FRAME = 1280


class Nobody:
    def now(self) -> float:
        return 0.0

    def turn_moved(self, turn: Turn, state: TurnState) -> None: ...

    def turn_failed(self, turn: Turn, stage: str, error: Exception) -> None: ...


TURN = Turn(1, Origin.DUPLEX, SessionSettings(), Nobody())


def piece(level: float = 0.5) -> Speech:
    return Speech(TURN, np.full(FRAME, level, np.float32), RATE_HZ)


def lengths(buffer: JitterBuffer, moments: list[tuple[float, float, float]], level: float) -> list[int]:
    """Lengths of the pieces that are taken: each is due, arrives and is taken at these times."""
    found = []
    for due_at, arrived_at, taken_at in moments:
        buffer.put(piece(level), due_at, arrived_at)
        found.append(len(buffer.take(taken_at, after_silence=False).samples))
    return found


def test_pieces_on_time_stay_as_they_are() -> None:
    moments = [(n * FRAME_S, n * FRAME_S - 0.06, n * FRAME_S - 0.06) for n in range(10)]
    assert set(lengths(JitterBuffer(), moments, 0.0)) == {FRAME}


def play(buffer: JitterBuffer, lag_s: float, pieces: int, level: float) -> tuple[list[int], float]:
    """Play pieces one after another, which arrived on time; the first is played `lag_s` late. Returns
    their lengths, and the lag in the end."""
    found, now = [], lag_s
    for n in range(pieces):
        buffer.put(piece(level), n * FRAME_S, n * FRAME_S - 0.06)
        found.append(len(buffer.take(now, after_silence=False).samples))
        now += found[-1] / RATE_HZ
    return found, now - pieces * FRAME_S


def test_a_lag_is_taken_back_in_quiet_pieces_that_have_waited() -> None:
    found, lag_s = play(JitterBuffer(), 0.1, 10, level=0.0)
    assert found[0] == RATE_HZ // 200, "all but the fade"
    assert set(found[3:]) == {FRAME}
    assert abs(lag_s) <= 0.005


def test_speech_is_shortened_only_after_a_while() -> None:
    found, lag_s = play(JitterBuffer(), 0.05, 40, level=0.5)
    assert set(found[: int(PATIENCE_S / FRAME_S)]) == {FRAME}
    assert min(found) == FRAME - RATE_HZ // 20, "at once"
    assert abs(lag_s) <= 0.005


def test_a_model_that_needs_longer_for_every_frame_is_not_hurried() -> None:
    moments = [(n * FRAME_S, n * FRAME_S + 0.05, n * FRAME_S + 0.05) for n in range(100)]
    assert set(lengths(JitterBuffer(), moments, 0.0)) == {FRAME}


def test_pieces_too_late_are_left_out_and_reported_when_the_episode_is_over() -> None:
    buffer = JitterBuffer()
    for n in range(5):
        buffer.put(piece(), n * FRAME_S, 0.4)
    buffer.leave_out_late(0.41, counted=True)
    assert len(buffer) == 1
    assert buffer.report(0.41) is None
    late = buffer.report(0.41 + CALM_S)
    assert late is not None
    assert (late[0], round(late[1], 2)) == (4, 0.41)
    assert buffer.report(0.42 + CALM_S) is None, "once"


def test_a_long_episode_is_reported_while_it_lasts() -> None:
    buffer, reports = JitterBuffer(), []
    for n in range(int(3 * REPORT_S / FRAME_S)):
        now = n * FRAME_S
        buffer.put(piece(), now - LATE_S - 0.01, now)
        buffer.leave_out_late(now, counted=True)
        reports += [now] if buffer.report(now) is not None else []
    assert len(reports) == 2
    assert buffer.report(now, over=True) is not None, "the rest at the end"


def test_what_is_left_out_during_a_pause_is_not_counted() -> None:
    buffer = JitterBuffer()
    buffer.put(piece(), 0.0, 0.0)
    buffer.leave_out_late(1.0, counted=False)
    assert len(buffer) == 0
    assert buffer.report(9.0, over=True) is None


def test_a_gap_is_crossfaded() -> None:
    buffer = JitterBuffer()
    buffer.put(piece(0.5), 0.0, 0.3)
    buffer.put(piece(-0.5), 0.3, 0.3)
    buffer.leave_out_late(0.3, counted=True)
    joined = buffer.take(0.3, after_silence=False).samples
    assert joined[0] == np.float32(0.5)
    assert np.abs(np.diff(joined)).max() < 0.02
    assert joined[-1] == np.float32(-0.5)
    buffer.put(piece(0.5), 0.4, 0.4)
    assert buffer.take(0.4, after_silence=True).samples[0] == 0.0
