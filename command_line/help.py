"""`--help` and `--version`."""

import argparse
from typing import Any

from utils.version import program_and_version


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults where there are any, but not for a switch that turns something off, since argparse
    would show the default of the thing that it turns off. HfArgumentParser gives the switches that it
    adds (`--no_x` beside `--x`) the help of `--x`; they are shown as its opposite."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if isinstance(action, argparse._StoreFalseAction):
            added = len(action.option_strings) == 2  # --no_x and --no-x
            return f"the opposite of --{action.dest}" if added else action.help
        return action.help if action.default is None else super()._get_help_string(action)


class ShowVersion(argparse.Action):
    """Print the version and end."""

    def __init__(self, option_strings: Any, dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, default=argparse.SUPPRESS, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Called by argparse when it meets the flag."""
        print(program_and_version())
        parser.exit()
