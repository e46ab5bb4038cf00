"""Slots: callers queue, cancelled ones leave the queue, and a call that hangs keeps its slot."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from functools import partial

import pytest

import pipeline.shared_engine
from pipeline.engine_info import EngineInfo
from pipeline.errors import EngineBusy, EngineError
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from testing.hold import Hold


class Counter:
    """Counts for its caller; stops at its hold first."""

    def __init__(self, slots: int = 1) -> None:
        self.info = EngineInfo(name="counter", slots=slots)
        self.hold = Hold()
        self.closed = False
        self.calls: list[str] = []

    def count(self, caller: str, cancel: CancelToken, to: int = 3) -> Iterator[int]:
        self.calls.append(caller)
        for number in range(to):
            self.hold.pass_through(cancel)
            yield number

    def close(self) -> None:
        self.closed = True


def call(shared: SharedEngine[Counter], caller: str, cancel: CancelToken | None = None) -> Iterator[int]:
    return shared.stream(lambda engine, token: engine.count(caller, token), cancel or CancelToken())


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait for an effect of another thread that sends no event; pytest's timeout ends a hang."""
    while not happened():
        threading.Event().wait(0.001)


def test_a_call_yields_what_the_engine_yields() -> None:
    assert list(call(SharedEngine(Counter()), "a")) == [0, 1, 2]


def test_a_single_result_comes_as_such() -> None:
    assert SharedEngine(Counter()).call(lambda engine, _: engine.info.name, CancelToken()) == "counter"


def test_an_error_of_the_engine_reaches_the_caller_and_frees_the_slot() -> None:
    shared = SharedEngine(Counter())
    with pytest.raises(ZeroDivisionError):
        shared.call(lambda engine, _: 1 / 0, CancelToken())
    wait_for(lambda: shared.free_slots == 1)
    assert list(call(shared, "b")) == [0, 1, 2]


def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    shared = SharedEngine(Counter())
    shared.engine.hold.close()
    threads: list[threading.Thread] = []
    for caller in "abcd":
        threads.append(in_thread(partial(list, call(shared, caller))))
        wait_for(lambda: len(shared._line) + len(shared._loaded.running) == len(threads))
    shared.engine.hold.open()
    for thread in threads:
        thread.join(60)
    assert shared.engine.calls == ["a", "b", "c", "d"]


def test_those_that_give_way_come_last() -> None:
    shared = SharedEngine(Counter())
    shared.engine.hold.close()
    threads: list[threading.Thread] = []
    for caller in ("API 1", "API 2", "a", "API 3", "b"):
        gives_way = caller.startswith("API")

        def count(engine: Counter, token: CancelToken, caller: str = caller) -> Iterator[int]:
            return engine.count(caller, token)

        stream = shared.stream(count, CancelToken(), gives_way=gives_way)
        threads.append(in_thread(partial(list, stream)))
        wait_for(lambda: shared.idle_slots == 0 and len(shared._line) == len(threads) - 1)
        assert shared.free_slots == (1 if caller.startswith("API") and len(threads) < 3 else 0)
    shared.engine.hold.open()
    for thread in threads:
        thread.join(60)
    assert shared.engine.calls == ["API 1", "a", "b", "API 2", "API 3"]


def test_who_is_cancelled_leaves_the_line_without_being_served() -> None:
    shared = SharedEngine(Counter())
    shared.engine.hold.close()
    first = in_thread(lambda: list(call(shared, "first")))
    shared.engine.hold.wait_until_reached()
    cancel = CancelToken()
    second = in_thread(lambda: list(call(shared, "second", cancel)))
    wait_for(lambda: len(shared._line) == 1)
    cancel.cancel()
    second.join(60)
    assert not second.is_alive()
    shared.engine.hold.open()
    first.join(60)
    assert shared.engine.calls == ["first"]


def test_a_call_that_does_not_return_frees_its_caller_but_not_its_slot() -> None:
    shared = SharedEngine(Counter(slots=2))
    shared.engine.hold = Hold(deaf=True)
    shared.engine.hold.close()
    cancel = CancelToken()
    caller = in_thread(lambda: list(call(shared, "stuck", cancel)))
    shared.engine.hold.wait_until_reached()
    cancel.cancel()
    caller.join(60)
    assert not caller.is_alive()
    assert (shared.stuck, shared.free_slots) == (1, 1)
    stuck_hold, shared.engine.hold = shared.engine.hold, Hold()
    assert list(call(shared, "next")) == [0, 1, 2]
    shared.close()
    assert not shared.engine.closed, "its weights are still in use"
    stuck_hold.open()
    wait_for(lambda: shared.stuck == 0)


def test_when_every_slot_is_stuck_the_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.shared_engine, "SLOT_WAIT_S", 0.05)
    shared = SharedEngine(Counter())
    shared.engine.hold = Hold(deaf=True)
    shared.engine.hold.close()
    cancel = CancelToken()
    in_thread(lambda: list(call(shared, "stuck", cancel)))
    shared.engine.hold.wait_until_reached()
    cancel.cancel()
    with pytest.raises(EngineBusy, match=r"1 slot.* 1 of them by calls that never returned"):
        list(call(shared, "next"))
    shared.engine.hold.open()


def test_a_call_that_gives_way_waits_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.shared_engine, "SLOT_WAIT_S", 0.05)
    shared = SharedEngine(Counter())
    shared.engine.hold.close()
    first = in_thread(lambda: list(call(shared, "first")))
    shared.engine.hold.wait_until_reached()
    api = in_thread(
        lambda: shared.call(lambda engine, _: engine.calls.append("API"), CancelToken(), gives_way=True)
    )
    wait_for(lambda: len(shared._line) == 1)
    with pytest.raises(EngineBusy):  # although it came later and goes first
        list(call(shared, "second"))
    shared.engine.hold.open()
    for thread in (first, api):
        thread.join(60)
    assert shared.engine.calls == ["first", "API"]


@pytest.mark.slow
def test_a_call_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.shared_engine, "STALL_S", 0.05)
    shared = SharedEngine(Counter())
    shared.engine.hold.close()
    with pytest.raises(EngineError, match="did not respond") as caught:
        list(call(shared, "hanging"))
    assert caught.value.code == "timeout"
    wait_for(lambda: shared.free_slots == 1)


def test_a_listener_that_takes_its_time_holds_no_slot() -> None:
    shared = SharedEngine(Counter())
    slow = call(shared, "slow")
    assert next(slow) == 0
    assert list(call(shared, "quick")) == [0, 1, 2]
    assert list(slow) == [1, 2]


def test_closing_the_stream_stops_the_engine() -> None:
    shared = SharedEngine(Counter())
    stream = shared.stream(lambda engine, token: engine.count("a", token, to=10**9), CancelToken())
    next(stream)
    stream.close()
    wait_for(lambda: shared.free_slots == 1)


def test_an_idle_slot_keeps_nothing_of_the_last_call() -> None:
    class Conversation:
        """A large object."""

    def compute(kept: Conversation, engine: Counter, cancel: CancelToken) -> None:
        assert kept

    shared = SharedEngine(Counter())
    conversations = [Conversation()]
    gone = weakref.ref(conversations[0])
    shared.call(partial(compute, conversations[0]), CancelToken())
    conversations.clear()
    wait_for(lambda: shared.free_slots == 1)
    wait_for(lambda: gc.collect() >= 0 and gone() is None)


def test_close_frees_the_engine() -> None:
    shared = SharedEngine(Counter())
    list(call(shared, "a"))
    wait_for(lambda: shared.free_slots == 1)
    shared.close()
    assert shared.engine.closed


class TestAnEngineIsReplaced:
    """A call that runs ends where it began; every other one goes to the new engine."""

    def test_running_and_waiting_calls(self) -> None:
        old, new = Counter(), Counter()
        shared = SharedEngine(old)
        old.hold.close()
        outputs: dict[str, list[int]] = {}

        def make(caller: str) -> None:
            outputs[caller] = list(call(shared, caller))

        running = in_thread(lambda: make("running"))
        old.hold.wait_until_reached()
        waiting = in_thread(lambda: make("waiting"))
        wait_for(lambda: shared.free_slots == 0 and bool(shared._line))
        assert shared.replace(new) is old
        waiting.join()
        make("later")
        assert (old.calls, new.calls) == (["running"], ["waiting", "later"])
        assert shared.idle_slots == 1, "the call that still runs takes no slot of the new one"
        old.hold.open()
        running.join()
        assert outputs == {key: [0, 1, 2] for key in ("running", "waiting", "later")}
        assert not old.closed

    def test_the_one_before_comes_back_with_the_call_that_still_runs_in_it(self) -> None:
        old, new = Counter(), Counter()
        shared = SharedEngine(old)
        old.hold.close()
        running = in_thread(lambda: list(call(shared, "running")))
        old.hold.wait_until_reached()
        shared.replace(new)
        assert shared.replace(old) is new
        assert shared.idle_slots == 0, "one call at a time"
        waiting = in_thread(lambda: list(call(shared, "waiting")))
        wait_for(lambda: bool(shared._line))
        old.hold.open()
        running.join()
        waiting.join()
        assert (old.calls, new.calls) == (["running", "waiting"], [])

    def test_more_slots_and_fewer(self) -> None:
        shared = SharedEngine(Counter(slots=1))
        for slots in (4, 2):
            engine = Counter(slots)
            engine.hold.close()
            shared.replace(engine)
            threads = [in_thread(lambda: list(call(shared, "a"))) for _ in range(6)]
            wait_for(lambda slots=slots: len(shared._line) == 6 - slots)  # type: ignore[misc]
            wait_for(lambda engine=engine, slots=slots: len(engine.calls) == slots)  # type: ignore[misc]
            assert shared.idle_slots == 0
            engine.hold.open()
            for thread in threads:
                thread.join()
            assert len(engine.calls) == 6

    def test_it_is_closed_when_it_is_dismissed_and_idle(self) -> None:
        idle, busy, last = Counter(), Counter(), Counter()
        shared = SharedEngine(idle)
        list(call(shared, "a"))
        wait_for(lambda: shared.free_slots == 1)
        shared.replace(busy)
        shared.dismiss(idle)
        assert idle.closed
        busy.hold.close()
        running = in_thread(lambda: list(call(shared, "b")))
        busy.hold.wait_until_reached()
        shared.replace(last)
        shared.dismiss(busy)
        assert not busy.closed
        busy.hold.open()
        running.join()
        wait_for(lambda: busy.closed)
        assert not last.closed

    def test_in_the_end_all_are_closed(self) -> None:
        engines = [Counter(), Counter(), Counter()]
        shared = SharedEngine(engines[0])
        for engine in engines[1:]:
            shared.replace(engine)
        shared.close()
        assert all(engine.closed for engine in engines)

    def test_threads_of_those_before_end(self) -> None:
        shared = SharedEngine(Counter())
        list(call(shared, "a"))
        first = shared._loaded
        for _ in range(20):
            shared.replace(Counter())
            list(call(shared, "a"))
        wait_for(lambda: first.threads == 0 and all(each.threads == 0 for each in shared._former))
