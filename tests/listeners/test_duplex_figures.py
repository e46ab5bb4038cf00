"""Conversations with a full-duplex model, as Prometheus and the limits of a session count them."""

import asyncio
from typing import Any

import numpy as np

from connections.access.time_limits import TimeLimits
from listeners.metrics import Metrics
from pipeline.events import Event, FramesLate, InputLevel, OutputLevel, PartialTranscript
from pipeline.loudness import QUIET_RMS
from testing.conversation import Conversation
from testing.duplex import FRAME, DuplexConversation, FakeDuplexModel


def test_late_frames_and_room_are_counted() -> None:
    metrics = Metrics(lambda: 3, lambda: 2)
    metrics.post(FramesLate(1, 12, 640.4))
    metrics.post(FramesLate(1, 2, 200))
    page = metrics.page().decode()
    assert "s2s_late_frames_total 14.0" in page
    assert "s2s_room 2.0" in page


def test_a_duplex_session_is_idle_unless_the_user_or_the_model_is_heard() -> None:
    async def listen() -> None:
        with DuplexConversation() as talk:
            limits: Any = TimeLimits(talk.session, 600, 6000)

            async def restarts(event: Event) -> bool:
                timer = limits._idle
                limits.post(event)
                await asyncio.sleep(0)
                return limits._idle is not timer

            assert limits.unwanted == (PartialTranscript,)
            assert not await restarts(InputLevel(10 ** (-52 / 20))), "a quiet room"
            assert not await restarts(OutputLevel(QUIET_RMS / 2))
            assert await restarts(InputLevel(10 ** (-45 / 20))), "a quiet microphone"
            assert await restarts(OutputLevel(2 * QUIET_RMS))
        with Conversation() as cascade:
            unwanted = TimeLimits(cascade.session, 600, 6000).unwanted
            assert {InputLevel, OutputLevel} <= set(unwanted)

    asyncio.run(listen())


def test_a_model_that_speaks_alone_keeps_its_session() -> None:
    async def listen() -> None:
        model = FakeDuplexModel()
        model.says = {number: np.full(FRAME, 0.1, np.float32) for number in range(100)}
        with DuplexConversation(model) as talk:
            limits: Any = TimeLimits(talk.session, 600, 6000)
            talk.session.events.add(limits)
            timer = limits._idle
            talk.say(1000)
            await asyncio.sleep(0)
            assert limits._idle is not timer

    asyncio.run(listen())
