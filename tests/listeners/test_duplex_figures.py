"""Conversations with a full-duplex model, as Prometheus and the limits of a session count them."""

import asyncio
from typing import Any, cast

from connections.access.time_limits import SPEECH_RMS, TimeLimits
from listeners.metrics import Metrics
from pipeline.events import FramesLate, InputLevel
from testing.conversation import Conversation
from testing.duplex import DuplexConversation


def test_late_frames_and_room_are_counted() -> None:
    metrics = Metrics(lambda: 3, lambda: 2)
    metrics.post(FramesLate(1, 12, 640.4))
    metrics.post(FramesLate(1, 2, 200))
    page = metrics.page().decode()
    assert "s2s_late_frames_total 14.0" in page
    assert "s2s_room 2.0" in page


def test_a_duplex_session_is_idle_unless_somebody_is_loud() -> None:
    async def listen() -> None:
        with DuplexConversation() as talk:
            limits = TimeLimits(talk.session, 600, 6000)
            assert InputLevel not in limits.unwanted
            timer = limits._idle
            limits.post(InputLevel(SPEECH_RMS / 2))
            await asyncio.sleep(0)
            assert limits._idle is timer
            limits.post(InputLevel(2 * SPEECH_RMS))
            await asyncio.sleep(0)
            assert cast(Any, limits._idle) is not timer
        with Conversation() as cascade:
            assert InputLevel in TimeLimits(cascade.session, 600, 6000).unwanted

    asyncio.run(listen())
