"""Run everything, one after the other, and print the tables."""

import datetime

from benchmarks import barge_in, conversation, overhead, sessions, startup, turn_taking
from benchmarks.figures import machine

print(f"{datetime.date.today()}, {machine()}\n")
for benchmark in (overhead, startup, conversation, turn_taking, barge_in, sessions):
    print(benchmark.main(), flush=True)
