"""The sound devices of this machine, through PortAudio."""

import sys
from typing import Any

from pipeline.errors import NoAudioDevice, UserError

_PORTAUDIO_ADVICE = {
    "linux": "apt install libportaudio2",
    "darwin": "brew install portaudio",
    "win32": "pip install --force-reinstall sounddevice",
}
_ROLES = {"input": "microphone", "output": "loudspeaker"}


def load_sounddevice() -> Any:
    """Import `sounddevice`. Raises `NoAudioDevice` if the PortAudio library is missing."""
    try:
        import sounddevice
    except OSError as error:
        advice = _PORTAUDIO_ADVICE.get(sys.platform, "install PortAudio")
        raise NoAudioDevice(f"the PortAudio library is missing; type: {advice}") from error
    return sounddevice


def find_sound_device(role: str, wanted: str | None) -> int:
    """Find the number of a device. `role` is "input" or "output"; `wanted` is a number or part of a
    name, or None for the system's default. Raises `NoAudioDevice`, or `UserError` if no device matches.
    """
    devices = [dict(device) for device in load_sounddevice().query_devices()]
    usable = [d["index"] for d in devices if d[f"max_{role}_channels"] > 0]
    if not usable:
        raise NoAudioDevice(
            f"this machine has no {_ROLES[role]}; connect one, or talk to a server from another "
            "machine: python s2s_pipeline.py --mode websocket"
        )
    if wanted is None:
        return _default(role, usable)
    if wanted.isdecimal():
        matching = [index for index in usable if index == int(wanted)]
    else:
        matching = [i for i in usable if wanted.lower() in devices[i]["name"].lower()]
    if not matching:
        names = "; ".join(f"{index} {devices[index]['name']}" for index in usable)
        raise UserError(f"--{role}_device: expected one of: {names}; got {wanted!r}")
    return int(matching[0])


def describe_sound_devices() -> list[str]:
    """List the devices, one a line: number, name, channels."""
    return [
        f"{d['index']:>3}  {d['name']} ({d['max_input_channels']} in, {d['max_output_channels']} out)"
        for d in load_sounddevice().query_devices()
    ]


def _default(role: str, usable: list[int]) -> int:
    default = load_sounddevice().default.device[0 if role == "input" else 1]
    return int(default) if default in usable else usable[0]
