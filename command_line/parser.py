"""Parser: HfArgumentParser with one-sentence errors, no abbreviations, and its results by class."""

from argparse import Action
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from command_line.help import HelpFormatter, ShowVersion
from command_line.hf_parser import HfArgumentParser
from pipeline.errors import UserError


class Parser(HfArgumentParser):  # type: ignore[misc]
    """The flags of several dataclasses."""

    def __init__(self, classes: Sequence[type], **kwargs: Any) -> None:
        super().__init__(classes, allow_abbrev=False, formatter_class=HelpFormatter, **kwargs)
        self.add_argument("--version", action=ShowVersion, nargs=0, help="show the version and exit")
        for group in self._action_groups:
            group._group_actions.sort(key=_rank)

    def error(self, message: str) -> NoReturn:
        """Raise `UserError`; argparse itself would print its usage and exit."""
        raise UserError(message)

    def parse(self, argv: Sequence[str]) -> tuple[Mapping[type, Any], list[str]]:
        """An instance of each dataclass, by class, and the arguments that none of them knows."""
        *parsed, unknown = self.parse_args_into_dataclasses(
            argv, return_remaining_strings=True, look_for_args_file=False
        )
        return dict(zip(self.dataclass_types, parsed, strict=True)), unknown

    @property
    def flags(self) -> list[str]:
        """Every flag with its dashes."""
        return [name for action in self._actions for name in action.option_strings]


def _rank(action: Action) -> int:
    """The model and the voice come first in the help; in a dataclass, flags of mixins do."""
    endings = ("model_name", "voice")
    return next((n for n, ending in enumerate(endings) if action.dest.endswith(ending)), len(endings))
