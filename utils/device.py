"""The device on which a model runs."""

import importlib.util
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import UserError

DEVICES = ("cuda", "mps", "cpu")


def find_device(wanted: str, able: Sequence[str] = DEVICES) -> str:
    """The device that `--device` means for an engine that can run on the devices `able`. `auto`: the
    fastest of them on this machine; another: that one, or cpu if the engine cannot use it. Raises
    `UserError` for a device that this machine does not have."""
    available = available_devices()
    if wanted == "auto":
        return next((device for device in available if device in able), "cpu")
    without_torch = importlib.util.find_spec("torch") is None  # engines with environments have their own
    if wanted not in available and not (without_torch and accelerated()):
        raise UserError(
            f"--device: expected one of {', '.join(available)} on this machine, got {wanted}"
        )
    return wanted if wanted in able else "cpu"


def expect_device(wanted: str, flag: str, able: Sequence[str]) -> str:
    """The device that the flag of one part names ("cuda:1" too); `UserError` where it cannot be that."""
    kind = wanted.partition(":")[0]
    local = [device for device in DEVICES if device in able] or ["cpu"]
    if kind not in local:
        raise UserError(f"{flag}: expected one of {', '.join(local)}, got {wanted}")
    if kind == "cpu" or importlib.util.find_spec("torch") is None:  # then only the engine can tell
        return wanted
    available = [device for device in available_devices() if device in local]
    if kind not in available:
        raise UserError(f"{flag}: expected one of {', '.join(available)} on this machine, got {wanted}")
    return wanted


def with_device(
    settings: dict[str, Any], wanted: str, stage: str, able: Sequence[str]
) -> dict[str, Any]:
    """The settings of an engine that can run on the devices `able`. If it has a device among them: the
    one that its own flag names, else the one that `--device` means."""
    if "device" not in settings:
        return settings
    own = settings["device"]
    device = expect_device(own, f"--{stage}_device", able) if own else find_device(wanted, able)
    return settings | {"device": device}


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


def accelerated() -> bool:
    """Guess from the system whether there is a GPU; asking torch would take seconds."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    return os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1") and Path("/dev/nvidiactl").exists()
