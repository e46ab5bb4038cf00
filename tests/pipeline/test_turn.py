"""The turn's table in docs/architecture.md, cell by cell."""

from pathlib import Path

import pytest

from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken, Origin, Turn, TurnState

STATES = {
    "tentative": [],
    "committed": ["commit"],
    "speaking": ["commit", "speak"],
    "done": ["commit", "finish"],
    "failed": ["commit", "finish failed"],
    "interrupted": ["interrupt"],
    "dropped": ["drop"],
}
TABLE = {
    "tentative": {"commit": "committed", "interrupt": "interrupted", "drop": "dropped"},
    "committed": {
        "speak": "speaking",
        "finish": "done",
        "finish failed": "failed",
        "interrupt": "interrupted",
        "drop": "dropped",
    },
    "speaking": {"finish": "done", "finish failed": "failed", "interrupt": "interrupted"},
    "done": {},
    "failed": {},
    "interrupted": {},
    "dropped": {},
}
MOVES = ["commit", "speak", "finish", "finish failed", "interrupt", "drop"]


class Observer:
    """Records the moves reported to it."""

    def __init__(self) -> None:
        self.moves: list[TurnState] = []
        self.cancelled_when_told: list[bool] = []

    def now(self) -> float:
        return 0.0

    def turn_moved(self, turn: Turn, state: TurnState) -> None:
        self.moves.append(state)
        self.cancelled_when_told.append(turn.cancel.cancelled)

    def turn_failed(self, turn: Turn, stage: str, error: Exception) -> None: ...


def state_of(turn: Turn) -> TurnState:
    """The present state, for tests that see it change: mypy takes an attribute for constant."""
    return turn.state


def move(turn: Turn, name: str) -> bool:
    if name == "finish failed":
        turn.fail("llm", ValueError("as the test wants it"))
        name = "finish"
    arguments = [] if name in ("commit", "speak") else ["because"]
    moved: bool = getattr(turn, name)(*arguments)
    return moved


def turn_in(state: str) -> tuple[Turn, Observer]:
    observer = Observer()
    turn = Turn(1, Origin.SPEECH, SessionSettings(), observer)
    for name in STATES[state]:
        assert move(turn, name)
    observer.moves.clear()
    return turn, observer


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", STATES)
def test_every_move_from_every_state(state: str, name: str) -> None:
    turn, observer = turn_in(state)
    following = TABLE[state].get(name)
    assert move(turn, name) is (following is not None)
    assert turn.state.value == (following or state)
    assert [moved.value for moved in observer.moves] == ([following] if following else [])
    assert not move(turn, name), "a move that was made is refused the second time"


@pytest.mark.parametrize("name", ["interrupt", "drop", "finish"])
def test_the_observer_hears_of_the_end_before_the_engines_are_called_back(name: str) -> None:
    turn, observer = turn_in("committed")
    observer.cancelled_when_told.clear()
    move(turn, name)
    assert observer.cancelled_when_told == [False]
    assert turn.cancel.cancelled


def test_the_documented_table_is_this_one() -> None:
    lines = Path("docs/architecture.md").read_text("utf-8").splitlines()
    rows = {}
    for line in lines[lines.index("### The turn (`pipeline/turn.py`)") :]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        for state in cells[0].split("(")[0].replace("*", "").split(","):
            if len(cells) == 7 and state.strip() in STATES:
                rows[state.strip()] = cells[1:]
        if line.startswith("### Playout"):
            break
    for state, cells in rows.items():
        for name, cell in zip(MOVES, cells, strict=True):
            expected = TABLE[state].get(name, "refused")
            assert cell.startswith(expected), (state, name, cell)
    assert rows.keys() == STATES.keys()


def test_a_cancelled_token_calls_back_at_once_and_only_once() -> None:
    token, calls = CancelToken(), []
    with token.on_cancel(lambda: calls.append("early")):
        token.cancel()
        token.cancel()
    with token.on_cancel(lambda: calls.append("late")):
        pass
    assert calls == ["early", "late"]


def test_a_callback_that_left_is_not_called() -> None:
    token, calls = CancelToken(), []
    with token.on_cancel(lambda: calls.append("left")):
        pass
    token.cancel()
    assert calls == []


def test_a_callback_that_fails_does_not_keep_the_others_from_being_called() -> None:
    token, calls = CancelToken(), []

    def fail() -> None:
        raise ZeroDivisionError

    with token.on_cancel(fail), token.on_cancel(lambda: calls.append("called")):
        token.cancel()
    assert calls == ["called"]
