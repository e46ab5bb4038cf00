"""A reply that goes back to what arrived, since its client was cut off and nobody noticed."""

import pytest

from pipeline.turn import TurnState
from tests.pipeline.test_playout import RATE_HZ, running


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
