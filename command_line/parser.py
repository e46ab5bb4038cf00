"""Parser: HfArgumentParser with one-sentence errors, no abbreviations, and its results by class."""

import argparse
import dataclasses
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from command_line.help import ShowHelp, ShowVersion
from command_line.hf_parser import HfArgumentParser
from pipeline.errors import UserError


class Parser(HfArgumentParser):  # type: ignore[misc]
    """The flags of several dataclasses. `help_page` makes the text of `--help TOPIC`; without it there
    is no such flag."""

    def __init__(
        self, classes: Sequence[type], help_page: "Callable[[Parser, str], str] | None" = None
    ) -> None:
        super().__init__(classes, allow_abbrev=False, add_help=False)
        if help_page is not None:
            self.add_argument(
                *("--help", "-h"),
                action=ShowHelp,
                page=lambda topic: help_page(self, topic),
                nargs="?",
                const="",
                metavar="TOPIC",
                help="show this page, or that of a part, an engine, a mode, or all",
            )
        self.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
        self._add_opposites()
        for group in self._action_groups:
            group._group_actions.sort(key=_rank)

    def error(self, message: str) -> NoReturn:
        """Raise `UserError`; argparse itself would print its usage and exit."""
        of = re.match(r"argument (--\w+)[^:]*: (expected one argument)?", message)
        raise UserError(
            message
            if of is None
            else f"{of[1]}: {'expected a value, got none' if of[2] else message[of.end() :]}"
        )

    def parse(self, argv: Sequence[str]) -> tuple[Mapping[type, Any], list[str]]:
        """An instance of each dataclass, by class, and the arguments that none of them knows."""
        *parsed, unknown = self.parse_args_into_dataclasses(
            argv, return_remaining_strings=True, look_for_args_file=False
        )
        return dict(zip(self.dataclass_types, parsed, strict=True)), unknown

    def _get_value(self, action: argparse.Action, text: str) -> Any:
        """Convert a value. Raises `UserError` that says what was expected."""
        try:
            return super()._get_value(action, text)
        except argparse.ArgumentError:
            kinds: dict[Any, str] = {int: "a whole number", float: "a number"}
            kind = kinds.get(action.type, "true or false")
            raise UserError(f"{action.option_strings[0]}: expected {kind}, got {text!r}") from None

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Check a value against the choices. Raises `UserError`."""
        if action.choices is not None and value not in action.choices:
            flag, choices = action.option_strings[0], [str(choice) for choice in action.choices]
            near = difflib.get_close_matches(str(value).lower(), choices, n=1)
            meant = f"; did you mean {flag} {near[0]}?" if near else ""
            raise UserError(f"{flag}: expected one of {', '.join(choices)}, got {value!r}{meant}")

    @property
    def flags(self) -> list[str]:
        """Every flag with its dashes."""
        return [name for action in self._actions for name in action.option_strings]

    @property
    def groups(self) -> dict[str, list[argparse.Action]]:
        """The flags by the title of their group, in order, without --help and --version."""
        return {group.title: group._group_actions for group in self._action_groups[2:]}

    def _add_opposites(self) -> None:
        """Give every switch its `--no_x`; HfArgumentParser does so only where the default is on."""
        fields = [field for each in self.dataclass_types for field in dataclasses.fields(each)]
        switches = {field.name for field in fields if field.type in (bool, bool | None)}
        for group in self._action_groups:
            for action in [each for each in group._group_actions if each.dest in switches]:
                if action.type is None:
                    continue  # an opposite
                action.nargs, action.const = "?", True
                name = f"--no_{action.dest}"
                if name not in self._option_string_actions:
                    group.add_argument(
                        *dict.fromkeys((name, name.replace("_", "-"))),
                        action="store_false",
                        dest=action.dest,
                        default=argparse.SUPPRESS,
                    )


def _rank(action: argparse.Action) -> int:
    """The model and the voice come first in the help; in a dataclass, flags of mixins do."""
    endings = ("model_name", "voice")
    return next((n for n, ending in enumerate(endings) if action.dest.endswith(ending)), len(endings))
