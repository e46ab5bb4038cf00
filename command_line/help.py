"""`--help` and `--version`."""

import argparse
from collections.abc import Callable
from typing import Any

from utils.version import program_and_version


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults where there are any, but not for a switch that turns something off, since argparse
    would show the default of the thing that it turns off."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or isinstance(action, argparse._StoreFalseAction):
            return action.help
        return super()._get_help_string(action)


class ShowHelp(argparse.Action):
    """Print the page about a topic and end. `page` makes it; the topic is "" if none was typed."""

    def __init__(
        self, option_strings: Any, dest: str, page: Callable[[str], str], **kwargs: Any
    ) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, default=argparse.SUPPRESS, **kwargs)
        self._page = page

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: Any = None
    ) -> None:
        """Called by argparse when it meets the flag."""
        print(self._page(values))
        parser.exit()


class ShowVersion(argparse.Action):
    """Print the version and end."""

    def __init__(self, option_strings: Any, dest: str, **kwargs: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, default=argparse.SUPPRESS, **kwargs)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Called by argparse when it meets the flag."""
        print(program_and_version())
        parser.exit()
