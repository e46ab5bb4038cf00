"""Where a model runs."""

import importlib.util
from typing import Any

from pipeline.errors import UserError


def find_device(wanted: str) -> str:
    """`auto`: cuda, else mps, else cpu. Raises `UserError` for a device that is not there."""
    available = available_devices()
    if wanted == "auto":
        return available[0]
    if wanted not in available:
        raise UserError(
            f"--device: expected one of {', '.join(available)} on this machine, got {wanted}"
        )
    return wanted


def with_device(settings: dict[str, Any], wanted: str) -> dict[str, Any]:
    """The settings of an engine; where it has a device and none of its own was chosen, `wanted`."""
    if "device" not in settings:
        return settings
    return settings | {"device": settings["device"] or find_device(wanted)}


def available_devices() -> list[str]:
    """The devices of this machine, the fastest first. Imports torch, if it is installed."""
    devices = ["cpu"]
    if importlib.util.find_spec("torch") is not None:
        import torch

        if torch.backends.mps.is_available():
            devices.insert(0, "mps")
        if torch.cuda.is_available():
            devices.insert(0, "cuda")
    return devices
