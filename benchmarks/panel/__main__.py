"""Run the interaction panel: ``python -m benchmarks.panel``."""

import argparse
from pathlib import Path

from benchmarks.panel import panel
from benchmarks.panel.panel import EVENTS, NOISES, QUICK_EVENTS, main

parser = argparse.ArgumentParser(
    description=panel.__doc__, formatter_class=argparse.RawTextHelpFormatter
)
parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS} events of each kind")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--flags", default="", help="flags of the program")
parser.add_argument("--noises", type=Path, default=NOISES, help=f"recordings (default: {NOISES})")
parser.add_argument("--out", type=Path, help="write all that was said and heard to this file")
wanted = parser.parse_args()
count = QUICK_EVENTS if wanted.quick else EVENTS
print(main(count, wanted.seed, wanted.flags, wanted.noises, wanted.out))
