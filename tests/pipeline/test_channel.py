"""The channel between two stages: bounds, wake-ups, and messages that die with their turn."""

import threading

import pytest

from pipeline.activity import Activity
from pipeline.channel import END, Channel
from pipeline.messages import UserText
from pipeline.settings import SessionSettings
from pipeline.turn import Origin, Turn
from tests.pipeline.test_turn import Observer


def new_turn(number: int = 1) -> Turn:
    return Turn(number, Origin.TEXT, SessionSettings(), Observer())


def full_channel(turn: Turn) -> tuple[Channel[UserText], Activity]:
    activity = Activity()
    channel: Channel[UserText] = Channel(1, activity)
    assert channel.put(UserText(turn, "first"))
    return channel, activity


def message(channel: Channel[UserText]) -> UserText:
    """The next message, which is there and not the end."""
    taken = channel.get()
    assert isinstance(taken, UserText)
    return taken


def blocked_put(channel: Channel[UserText], activity: Activity, turn: Turn) -> list[bool]:
    """Start a thread that waits for room; its result is added to the list."""
    results: list[bool] = []
    activity.woke()

    def put() -> None:
        results.append(channel.put(UserText(turn, "second")))
        activity.sleeps()

    threading.Thread(target=put, daemon=True).start()
    assert activity.wait_idle(60)
    assert results == []
    return results


def test_a_put_waits_for_room() -> None:
    turn = new_turn()
    channel, activity = full_channel(turn)
    results = blocked_put(channel, activity, turn)
    assert message(channel).text == "first"
    assert activity.wait_idle(60)
    assert results == [True]


@pytest.mark.parametrize("end", ["interrupt", "drop"])
def test_a_put_gives_up_when_its_turn_dies(end: str) -> None:
    turn = new_turn()
    channel, activity = full_channel(turn)
    results = blocked_put(channel, activity, turn)
    getattr(turn, end)("enough")
    assert activity.wait_idle(60)
    assert results == [False]


def test_a_put_gives_up_when_the_consumer_refuses_the_turn() -> None:
    turn = new_turn()
    channel, activity = full_channel(turn)
    results = blocked_put(channel, activity, turn)
    channel.refuse(turn)
    assert activity.wait_idle(60)
    assert results == [False]
    assert len(channel) == 0
    assert not channel.put(UserText(turn, "later"))


def test_the_dead_make_room_for_the_living() -> None:
    dead, living = new_turn(1), new_turn(2)
    channel, activity = full_channel(dead)
    results = blocked_put(channel, activity, living)
    dead.drop("enough")
    channel.forget_the_dead()
    assert activity.wait_idle(60)
    assert results == [True]
    assert message(channel).turn is living


def test_close_lets_nobody_wait() -> None:
    turn = new_turn()
    channel, activity = full_channel(turn)
    results = blocked_put(channel, activity, turn)
    channel.close()
    assert activity.wait_idle(60)
    assert results == [False]
    assert channel.get() is END
    assert not channel.offer(UserText(turn, "later"))


def test_end_needs_no_room() -> None:
    channel, _ = full_channel(new_turn())
    assert channel.put(END)
    channel.get()
    assert channel.get() is END


def test_a_wake_up_is_not_lost_and_comes_before_messages() -> None:
    channel, _ = full_channel(new_turn())
    channel.wake()
    assert channel.get() is None
    assert message(channel).text == "first"


def test_a_get_that_does_not_take_leaves_the_message() -> None:
    channel, activity = full_channel(new_turn())
    activity.woke()
    assert channel.get(0.01, taking=False) is None
    assert len(channel) == 1


def test_an_offer_of_several_is_taken_in_one_piece() -> None:
    turn = new_turn()
    channel: Channel[UserText] = Channel(2, Activity())
    assert channel.offer(UserText(turn, "a"), UserText(turn, "b"))
    assert not channel.offer(UserText(turn, "c"))
    assert [message(channel).text, message(channel).text] == ["a", "b"]


def test_activity_counts_a_sleeper_whose_time_is_up_as_awake_again() -> None:
    activity = Activity()
    channel: Channel[UserText] = Channel(1, activity)
    activity.woke()
    assert channel.get(0.01) is None
    assert not activity.wait_idle(0)
    activity.sleeps()
    assert activity.wait_idle(0)
