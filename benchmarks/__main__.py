"""Run everything, one after the other, and print the tables."""

import datetime

from benchmarks import conversation, overhead, sessions, startup, turn_taking
from benchmarks.figures import machine

print(f"{datetime.date.today()}, {machine()}\n")
for benchmark in (overhead, startup, conversation, turn_taking, sessions):
    print(benchmark.main(), flush=True)
