"""Footprint: what a server holds when nobody is connected."""

import gc
import os
import sys
import threading
import time
from collections.abc import Sized
from dataclasses import dataclass

from benchmarks.program import memory_mb, open_files

SETTLE_S = 1.0
"""In which the server's thread closes the sockets of sessions that have ended."""


@dataclass(frozen=True)
class Footprint:
    """Of one process."""

    memory_mb: float
    """As the system counts it: with what the allocator keeps of pieces it cannot give back."""
    blocks: int
    """Of Python's memory: what the program itself holds."""
    threads: int
    files: int
    """Descriptors, sockets among them."""
    sessions: int
    """Those that are in memory."""

    @classmethod
    def now(cls, sessions: Sized) -> "Footprint":
        """Of this process."""
        time.sleep(SETTLE_S)
        gc.collect()
        pid = os.getpid()
        threads, files = threading.active_count(), open_files(pid)
        return cls(memory_mb(pid), sys.getallocatedblocks(), threads, files, len(sessions))

    def rows_since(self, before: "Footprint") -> list[list[object]]:
        """For a table of what was left behind: a name, a figure, an aim."""
        return [
            ["sessions still in memory", self.sessions, "0"],
            ["threads more than before", self.threads - before.threads, "0"],
            ["file descriptors more than before", self.files - before.files, "0"],
            [f"blocks of memory more than before, of {before.blocks}", self.blocks - before.blocks, ""],
            ["resident MB more than before", self.memory_mb - before.memory_mb, ""],
        ]
