"""Choosing a codec by name."""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from pipeline.errors import UserError
from S2S.codec.base import Coder
from utils.installation import install_extra
from utils.logs import quieten_libraries

CODERS = ("encodec", "hifi-gan", "mimi")

_OF_ONE: Mapping[str, tuple[str, str]] = {
    "bandwidth_kbps": ("encodec", "--bandwidth"),
    "codebooks": ("mimi", "--codebooks"),
}
"""Settings of one codec only ▶ the codec's name, and the flag."""

NEEDS = ("torch", "torchmetrics", "pystoi", "jiwer", "plotly")
"""Modules of the extra `codec`. torchmetrics imports pystoi, which it does not require."""


def expect_installed() -> None:
    """Raise `UserError` with the command that installs what is missing."""
    if missing := [module for module in NEEDS if find_spec(module) is None]:
        raise UserError(f"not installed: {', '.join(missing)}; type: {install_extra('codec')}")


def open_coder(name: str, device: str, **settings: str | float | int | None) -> Coder:
    """Load a codec; None stands for its default. Raises `UserError`."""
    chosen = {setting: value for setting, value in settings.items() if value is not None}
    for setting, (owner, flag) in _OF_ONE.items():
        if setting in chosen and name != owner:
            raise UserError(f"{flag} belongs to --codec {owner}, but the codec is {name}")
    kind = _import(name)
    quieten_libraries()
    coder: Coder = kind(device, **chosen)
    return coder


def _import(name: str) -> Any:
    """The class of a codec, imported only when chosen, since it imports torch."""
    match name:
        case "encodec":
            from S2S.codec.encodec import EncodecCodec

            return EncodecCodec
        case "mimi":
            from S2S.codec.mimi import MimiCodec

            return MimiCodec
        case _:
            from S2S.codec.hifi_gan import HifiGan

            return HifiGan
