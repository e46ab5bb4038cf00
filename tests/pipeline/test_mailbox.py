"""Mailboxes: listeners take their time, and stages never wait for one."""

from pipeline.events import InputLevel, PartialTranscript, ReplyStarted
from pipeline.mailbox import Mailbox, Mailboxes


def test_levels_and_partial_transcripts_are_replaced_by_newer_ones() -> None:
    box = Mailbox()
    for number in range(5):
        box.post(InputLevel(number / 10))
        box.post(PartialTranscript(f"text {number}", 0))
        box.post(ReplyStarted(number))
    events = [box.fetch(0) for _ in range(7)]
    assert [e for e in events if isinstance(e, ReplyStarted)] == [ReplyStarted(n) for n in range(5)]
    assert InputLevel(0.4) in events
    assert PartialTranscript("text 4", 0) in events
    assert box.fetch(0) is None


def test_a_listener_that_lags_is_cut_off() -> None:
    box = Mailbox(capacity=3)
    for number in range(5):
        box.post(ReplyStarted(number))
    assert box.overflowed
    assert box.fetch(0) is None
    box.post(ReplyStarted(9))
    assert box.fetch(0) is None


def test_what_is_inside_can_be_fetched_after_the_end() -> None:
    boxes = Mailboxes()
    box = boxes.subscribe()
    boxes.emit(ReplyStarted(1))
    boxes.close()
    assert box.fetch() == ReplyStarted(1)
    assert box.fetch() is None


def test_an_event_loop_is_told_of_the_first_letter() -> None:
    told: list[int] = []
    boxes = Mailboxes()
    box = boxes.subscribe(on_mail=lambda: told.append(1))
    boxes.emit(ReplyStarted(1))
    boxes.emit(ReplyStarted(2))
    assert len(told) == 1
    while box.fetch(0):
        pass
    boxes.emit(ReplyStarted(3))
    assert len(told) == 2
