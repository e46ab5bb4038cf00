"""The spelling with which the program was started, for commands that the user may copy."""

import sys
from pathlib import Path


def program() -> str:
    """Return "s2s" if the installed command runs, else "python s2s_pipeline.py"."""
    return "s2s" if Path(sys.argv[0]).stem == "s2s" else "python s2s_pipeline.py"
