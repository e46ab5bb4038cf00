"""`s2s get`: download models before they are needed, and at the first start those that are built in."""

import contextlib
import difflib
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from catalog.presets import PRESETS
from catalog.weights import EMBEDDED, fetch_embedded
from pipeline.errors import UserError

if TYPE_CHECKING:
    from catalog.offers import Offer


def get(argv: Sequence[str]) -> int:
    """Download the built-in models; or a better part, or the models of a preset, or those of the parts
    that flags choose. Returns an exit code; raises `UserError`."""
    if not argv:
        return _get_embedded()
    from catalog.offers import OFFERS, find_offer

    name, flags = argv[0], list(argv)
    if offer := find_offer(name):
        if len(argv) > 1:
            raise UserError(f"expected nothing after s2s get {name}, got {argv[1]!r}")
        with _remedied(offer.title):
            return _get_offer(offer)
    if not name.startswith("-"):
        if name not in PRESETS:
            names = [*(offer.name for offer in OFFERS), *PRESETS]
            near = difflib.get_close_matches(name.lower(), names, n=1)
            nearest = f"the nearest is {near[0]}, and " if near else ""
            raise UserError(f"there is no {name!r} to get; {nearest}all are: {', '.join(names)}")
        flags[:1] = ["--preset", name]
    from command_line.parse import parse_command_line
    from commands.download import download

    with _remedied(" ".join(argv)):
        return download(parse_command_line([*flags, "--download"]))


@contextlib.contextmanager
def _remedied(what: str) -> Iterator[None]:
    """Tell of a network that cannot be reached what helps here, where `--download` need not be added."""
    from utils.hub import NotReached

    try:
        yield
    except NotReached as error:
        ways = "connect to the network, and type this again"
        raise UserError(f"{what}: {error.trouble}; {ways}") from error


def _get_embedded() -> int:
    """Download the built-in models; if they are all here, say what else there is."""
    if not all(file.intact for file in EMBEDDED):
        return fetch_embedded()
    from catalog.offers import OFFERS
    from command_line.flag_rows import row
    from utils.hub import size_text

    print("Everything that the program needs is here. You can also get:")
    width = shutil.get_terminal_size().columns
    for offer in OFFERS:
        if not offer.is_here:
            about = f"{offer.title}: {offer.about} ({size_text(offer.size_bytes)}, {offer.license})"
            print(*row(offer.command, about, width), sep="\n")
    for name, preset in PRESETS.items():
        if name != "offline":  # its models are those
            print(*row(f"s2s get {name}", f"{preset.about} ({preset.size})", width), sep="\n")
    return 0


def _get_offer(offer: "Offer") -> int:
    """Download a better part, which the program chooses by itself from then on."""
    from engines.offer_source import fetch
    from utils.hub import size_text
    from utils.progress import terminal_bar

    about = f"{offer.about} ({size_text(offer.size_bytes)}, {offer.license})"
    print(f"  {offer.title}: {about}", file=sys.stderr, flush=True)
    with terminal_bar() as report:
        fetch(offer, report)
    print(f"  {offer.title} is here and will be used from the next start on", file=sys.stderr)
    return 0


def get_missing(flags: Sequence[str]) -> None:
    """Download the built-in models that these flags use, so that the engines that need them are chosen.
    Without them, simpler ones are. Raises `UserError` for a mistake in the flags."""
    if all(file.there for file in EMBEDDED):
        return
    from command_line.parse import parse_command_line
    from commands.download import embedded_files

    fetch_embedded(file for file in embedded_files(parse_command_line(flags)) if not file.there)
