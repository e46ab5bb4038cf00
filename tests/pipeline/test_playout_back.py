"""Playout: a reply that pauses, or lost its connection, goes back to what was not heard."""

import numpy as np
import pytest

from pipeline.messages import Speech
from pipeline.turn import TurnState
from tests.pipeline.test_playout import RATE_HZ, running


def test_a_pause_goes_back_to_what_was_not_heard() -> None:
    with running() as stage:
        turn = stage.turn()
        ramp = np.linspace(0, 0.5, RATE_HZ // 2, dtype=np.float32)
        stage.channel.offer(Speech(turn, ramp, RATE_HZ, "hello", ends_text=True))
        stage.end(turn)
        stage.pass_ms(200)
        stage.playout.pause("user")
        stage.playout.pause("client")
        stage.pass_ms(300)
        assert stage.sink.flushes == [(1, 3200)]
        stage.playout.resume("user")
        stage.pass_ms(40)
        frames = len(stage.sink.frames)
        stage.playout.resume("client")
        stage.rest()
        assert stage.sink.frames[frames].sample == 3200
        stage.pass_ms(400)
        assert turn.state is TurnState.DONE
        assert stage.sent_ms() == 560, "60 ms were sent twice, none is missing"


@pytest.mark.parametrize(
    ("turn", "sample", "place"),
    [(1, 8000, 8000), (0, 8000, 0), (1, 99_999, None), (2, 0, None)],
    ids=["this turn", "an earlier turn: nothing of this one", "more than was sent", "a turn to come"],
)
def test_a_reply_goes_back_to_what_arrived(turn: int, sample: int, place: int | None) -> None:
    with running() as stage:
        answer = stage.turn()
        stage.speech(answer, "hello", 4000)
        stage.end(answer)
        stage.pass_ms(3000)
        sent = len(stage.sink.frames)
        stage.playout.go_back(turn, sample)
        stage.pass_ms(40)
        goes_on = stage.sink.frames[sent].sample
        assert goes_on == (320 * sent if place is None else place)
        assert stage.sink.flushes == ([] if place is None else [(1, place)])
        stage.pass_ms(4000)
        assert answer.state is TurnState.DONE
        assert stage.sink.frames[-1].sample == 4 * RATE_HZ - 320


def test_a_raw_client_plays_on_what_it_has_and_gets_nothing_twice() -> None:
    with running(can_flush=False) as stage:
        turn = stage.turn()
        stage.speech(turn, "hello", 200)
        stage.end(turn)
        stage.pass_ms(40)
        stage.playout.pause("user")
        stage.pass_ms(500)
        stage.playout.resume("user")
        stage.pass_ms(300)
        assert stage.sent_ms() == 200
        assert turn.state is TurnState.DONE
