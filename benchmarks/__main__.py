"""Run everything, one after the other, and print the tables."""

import datetime

from benchmarks import (
    barge_in,
    conversation,
    interruptions,
    overhead,
    peers,
    sessions,
    speculation,
    startup,
    turn_taking,
    web_sessions,
)
from benchmarks.figures import machine

print(f"{datetime.date.today()}, {machine()}\n")
for benchmark in (
    *(overhead, startup, conversation, speculation, turn_taking),
    *(barge_in, interruptions, sessions, web_sessions, peers),
):
    print(benchmark.main(), flush=True)
