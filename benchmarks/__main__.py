"""Run every benchmark, one after the other, and print the tables."""

import datetime
import functools

from benchmarks import (
    admission,
    barge_in,
    come_and_go,
    conversation,
    failover,
    fairness,
    interruptions,
    isolation,
    long_talk,
    overhead,
    peers,
    served,
    sessions,
    soak,
    speculation,
    startup,
    turn_taking,
    web_sessions,
    window,
)
from benchmarks.figures import machine
from benchmarks.panel import panel

SOAK_MINUTES = 2.0
"""Shorter than ``python -m benchmarks.soak`` alone, which takes half an hour."""

LONG_TALK_MINUTES = 5.0
"""Shorter than ``python -m benchmarks.long_talk`` alone, which talks for an hour."""

PANEL_EVENTS = panel.QUICK_EVENTS
"""Fewer than ``python -m benchmarks.panel`` alone, which takes forty minutes."""

print(f"{datetime.date.today()}, {machine()}\n")
for main in (
    *(overhead.main, window.main, startup.main, conversation.main, speculation.main, turn_taking.main),
    *(barge_in.main, interruptions.main, sessions.main, peers.main, web_sessions.main),
    *(served.main, admission.main, come_and_go.main, fairness.main, isolation.main, failover.main),
    functools.partial(panel.main, PANEL_EVENTS),
    functools.partial(soak.main, SOAK_MINUTES),
    functools.partial(long_talk.main, LONG_TALK_MINUTES),
):
    print(main(), flush=True)
