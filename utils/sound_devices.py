"""The sound devices of this machine, through PortAudio."""

import contextlib
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

from pipeline.errors import NoAudioDevice, UserError
from utils.installation import pip_install, typed

logger = logging.getLogger(__name__)

_PORTAUDIO_ADVICE = {
    "linux": "apt install libportaudio2",
    "darwin": "brew install portaudio",
    "win32": pip_install("--force-reinstall sounddevice"),
}
ROLES = {"input": "microphone", "output": "loudspeaker"}
_NATIVE = re.compile(rb"ALSA lib |Expression '")
"""The beginnings of ALSA's and PortAudio's lines. The text of others may come before them: a bar of
progress ends without a newline."""

_LAST_LINES_S = 1.0
"""Wait for the last lines: a process that was started meanwhile may keep the pipe open."""

OPEN_THE_PAGE = "talk or type on a web page, here or on another machine: " + typed(
    "serve", "python s2s_pipeline.py --mode websocket"
)
"""Advice for a machine without a microphone or a loudspeaker."""


def load_sounddevice() -> Any:
    """Import `sounddevice`. Raises `NoAudioDevice` if the PortAudio library is missing."""
    try:
        import sounddevice
    except OSError as error:
        advice = _PORTAUDIO_ADVICE.get(sys.platform, "install PortAudio")
        raise NoAudioDevice(f"the PortAudio library is missing; type: {advice}") from error
    return sounddevice


def sound_devices(role: str) -> list[dict[str, Any]]:
    """The devices that have a channel in this direction. `role` is "input" or "output"."""
    devices = [dict(device) for device in load_sounddevice().query_devices()]
    return [device for device in devices if device[f"max_{role}_channels"] > 0]


def find_sound_device(role: str, wanted: str | None, otherwise: str = OPEN_THE_PAGE) -> dict[str, Any]:
    """Find a device. `role` is "input" or "output"; `wanted` is a number or part of a name, or None for
    the system's default; `otherwise` is the advice for a machine without one.

    Raises `NoAudioDevice`, or `UserError` if no device matches.
    """
    usable = sound_devices(role)
    if not usable:
        raise NoAudioDevice(f"this machine has no {ROLES[role]}; connect one, or {otherwise}")
    if wanted is None:
        default = load_sounddevice().default.device[0 if role == "input" else 1]
        return next((device for device in usable if device["index"] == default), usable[0])
    if wanted.isdecimal():
        matching = [device for device in usable if device["index"] == int(wanted)]
    else:
        matching = [device for device in usable if wanted.lower() in device["name"].lower()]
    if not matching:
        names = "; ".join(f"{device['index']} {device['name']}" for device in usable)
        raise UserError(f"--{role}_device: expected one of: {names}; got {wanted!r}")
    return matching[0]


def describe_sound_devices() -> list[str]:
    """List the devices, one a line: number, name, channels."""
    return [
        f"{d['index']:>3}  {d['name']} ({d['max_input_channels']} in, {d['max_output_channels']} out)"
        for d in load_sounddevice().query_devices()
    ]


@contextlib.contextmanager
def native_messages_logged() -> Iterator[None]:
    """Log, at level debug, what PortAudio and ALSA print to standard error in the meantime: a line for
    every refused format or late block, with its place in their source. Other lines are passed on.
    """
    try:
        kept = os.dup(2)
    except OSError:  # the program has no standard error
        kept = os.open(os.devnull, os.O_WRONLY)
    printed, printing = os.pipe()
    os.dup2(printing, 2)
    os.close(printing)
    reader = threading.Thread(target=_sort, args=(printed, kept), name="stderr", daemon=True)
    reader.start()
    try:
        yield
    finally:
        os.dup2(kept, 2)
        reader.join(_LAST_LINES_S)


def _sort(printed: int, kept: int) -> None:
    """Log native lines, pass on the others; until nobody can print there anymore."""
    with os.fdopen(printed, "rb") as lines:
        for line in lines:
            if (native := _NATIVE.search(line)) is not None:
                logger.debug("%s", line[native.start() :].decode(errors="replace").rstrip())
                line = line[: native.start()]
            if not line:
                continue
            if hasattr(sys.stderr, "rich_proxied_file"):  # a live screen, which makes room for it
                sys.stderr.write(line.decode(errors="replace"))
            else:
                os.write(kept, line)
    os.close(kept)
