"""`s2s get`: download models before they are needed, and at the first start those that are built in."""

from collections.abc import Sequence

from catalog.presets import PRESETS
from catalog.weights import EMBEDDED, fetch_embedded
from pipeline.errors import UserError


def get(argv: Sequence[str]) -> int:
    """Download the built-in models; or the models of a preset, or of the parts that flags choose.
    Returns an exit code; raises `UserError`."""
    if not argv:
        return fetch_embedded()
    from command_line.parse import parse_command_line
    from commands.download import download

    flags = list(argv)
    if not flags[0].startswith("-"):
        if flags[0] not in PRESETS:
            raise UserError(f"expected a preset ({', '.join(PRESETS)}) after s2s get, got {flags[0]!r}")
        flags[:1] = ["--preset", flags[0]]
    return download(parse_command_line([*flags, "--download"]))


def get_missing(flags: Sequence[str]) -> None:
    """Download the built-in models that these flags use, so that the engines that need them are chosen.
    Without them, simpler ones are. Raises `UserError` for a mistake in the flags."""
    if all(file.there for file in EMBEDDED):
        return
    from command_line.parse import parse_command_line
    from commands.download import embedded_files

    fetch_embedded(file for file in embedded_files(parse_command_line(flags)) if not file.there)
