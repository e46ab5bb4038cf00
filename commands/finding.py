"""Finding: a line of the report of `--check`, and the report."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from command_line.flag_rows import row

Block: TypeAlias = Literal["fix", "better", "ready", "more"]

BLOCKS: Mapping[Block, str] = {
    "fix": "Fix this",
    "better": "Would be better",
    "ready": "Ready",
    "more": "Everything else",
}
"""The blocks of the report, the most urgent first, and their headings."""

ONE_LINE = 100_000
"""Width of a line that goes to a file or a pipe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of the report. `block`: "fix" if the program cannot talk without it."""

    block: Block
    topic: str
    text: str


def report(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings in blocks, in lines as wide as the terminal; elsewhere each is one line."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else ONE_LINE
    kept = list(findings)
    for block, heading in BLOCKS.items():
        found = [finding for finding in kept if finding.block == block]
        if found:
            yield heading
        for finding in found:
            yield from row(finding.topic, finding.text, width)
        if found:
            yield ""
    broken = sum(finding.block == "fix" for finding in kept)
    if broken == 0:
        yield "Ready to talk."
    else:
        yield f"Not ready: {'one thing' if broken == 1 else f'{broken} things'} to fix."
