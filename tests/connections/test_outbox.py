"""Outbox: filled on any thread, emptied on that of the loop."""

import asyncio
import threading
from collections.abc import Iterator

from connections.outbox import Outbox


def test_items_from_another_thread_end_the_wait_in_their_order() -> None:
    async def receive() -> list[str]:
        outbox: Outbox[str] = Outbox()
        thread = threading.Thread(target=lambda: [outbox.put(item) for item in "abc"])
        thread.start()
        received: list[str] = []
        while len(received) < 3:
            await outbox.wait()
            received += outbox.take()
        thread.join()
        return received

    assert asyncio.run(asyncio.wait_for(receive(), 10)) == ["a", "b", "c"]


def test_a_full_outbox_refuses_nothing_and_says_when_there_is_room() -> None:
    async def fill() -> None:
        room: list[int] = []
        outbox: Outbox[int] = Outbox(2)
        outbox.on_room = lambda: room.append(1)
        assert [outbox.put(1), outbox.is_full, outbox.put(2), outbox.is_full] == [1, False, 2, True]
        assert outbox.put(3, 4) == 4
        outbox.discard(lambda item: item == 3)
        assert (outbox.take(), room) == ([1, 2, 4], [1])
        outbox.put(5)
        assert (outbox.take(), room) == ([5], [1])

    asyncio.run(fill())


def test_earlier_items_come_before_what_is_put_in_or_taken_out_next() -> None:
    events = ["first"]

    def take_events() -> Iterator[str]:
        while events:
            yield events.pop(0)

    async def fill() -> None:
        outbox: Outbox[str] = Outbox(earlier=take_events)
        outbox.put("a")
        events.append("second")
        assert outbox.take() == ["first", "a", "second"]

    asyncio.run(fill())


def test_the_loop_is_called_once_for_all_that_waits() -> None:
    async def fill() -> int:
        calls: list[list[int]] = []
        outbox: Outbox[int] = Outbox(on_items=lambda: calls.append(outbox.take()))
        for item in range(3):
            outbox.put(item)
        while not calls:
            await asyncio.sleep(0)
        assert calls == [[0, 1, 2]]
        return len(calls)

    assert asyncio.run(fill()) == 1
