"""Footprint: resources that a server holds when no client is connected."""

import gc
import os
import sys
import threading
import time
from collections.abc import Sized
from dataclasses import dataclass

from benchmarks.program import memory_mb, open_files

SETTLE_S = 1.0
"""Time for the server's thread to close the sockets of ended sessions."""


@dataclass(frozen=True)
class Footprint:
    """Resources of one process."""

    memory_mb: float
    """Resident memory, with what the allocator keeps in fragments it cannot give back."""
    blocks: int
    """Blocks of Python's memory: what the program itself holds."""
    threads: int
    files: int
    """File descriptors, sockets among them."""
    sessions: int
    """Sessions still in memory."""

    @classmethod
    def now(cls, sessions: Sized) -> "Footprint":
        """Measure this process."""
        time.sleep(SETTLE_S)
        gc.collect()
        pid = os.getpid()
        threads, files = threading.active_count(), open_files(pid)
        return cls(memory_mb(pid), sys.getallocatedblocks(), threads, files, len(sessions))

    def rows_since(self, before: "Footprint") -> list[list[object]]:
        """Compare with an earlier footprint, as rows of a table: name, figure, aim."""
        return [
            ["sessions still in memory", self.sessions, "0"],
            ["threads more than before", self.threads - before.threads, "0"],
            ["file descriptors more than before", self.files - before.files, "0"],
            [f"blocks of memory more than before, of {before.blocks}", self.blocks - before.blocks, ""],
            ["resident MB more than before", self.memory_mb - before.memory_mb, ""],
        ]
