"""The caller of the interaction panel, with the real server over scripted engines, in real time."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.line import RealtimeLine
from benchmarks.panel.caller import Caller
from benchmarks.panel.noises import RATE_HZ
from benchmarks.panel.sounds import MARGIN_S, Clip, What
from benchmarks.panel.ticks import TICK_S, Kind, judge
from testing.server import ScriptedWebServer

pytestmark = pytest.mark.slow


def loud(seconds: float) -> Clip:
    """A turn, to a detector that hears only how loud it is."""
    margin = np.zeros(int(MARGIN_S * RATE_HZ), np.float32)
    samples = np.concatenate((margin, np.full(int(seconds * RATE_HZ), 0.5, np.float32), margin))
    return Clip(What.TURN, "loud", "loud", samples)


@pytest.fixture
def server() -> Iterator[ScriptedWebServer]:
    with ScriptedWebServer() as running:
        yield running


def test_a_turn_begins_with_a_tick_and_is_answered(server: ScriptedWebServer) -> None:
    async def talk() -> Caller:
        async with Caller(RealtimeLine(server.port), seed=1) as caller:
            await caller.ask(loud(0.6))
            await caller.hush(0.2)
        return caller

    caller = asyncio.run(talk())
    said = caller.record.said[0]
    ticks = said.onset / TICK_S
    assert ticks == pytest.approx(round(ticks))
    assert said.end - said.onset == pytest.approx(0.6, abs=0.01)
    verdict = next(caller.record.verdicts({}))
    assert verdict.answered_ms is not None
    assert 192 <= verdict.answered_ms < 2000
    assert [event.kind for event in judge(caller.record.ticks())] == [Kind.RESPONSE]
    assert caller.record.errors == []


def test_a_server_that_hangs_up_ends_the_call(server: ScriptedWebServer) -> None:
    async def talk() -> None:
        async with Caller(RealtimeLine(server.port), seed=1) as caller:
            await caller.until(0.2)
            await asyncio.to_thread(server.stop)
            await caller.until(caller.now + 1.0)

    with pytest.raises((ConnectionError, EOFError)):
        asyncio.run(talk())
