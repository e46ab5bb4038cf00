"""IceServer: who helps a call over WebRTC to find its way through routers."""

import importlib.util
import re
from dataclasses import dataclass, field

from pipeline.errors import UserError

INSTALL = "pip install -e '.[webrtc]'"

_URL = re.compile(
    r"(?P<scheme>stun|turns?):((?P<name>[^:@]+):(?P<password>[^@]+)@)?"
    r"(?P<place>[\w.-]+(:\d+)?(\?transport=(udp|tcp))?)"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN server says from which address we are seen; a TURN server passes the audio on."""

    url: str
    """As RFC 7064 and RFC 7065 have it."""
    name: str | None = None
    password: str | None = field(default=None, repr=False)


def ice_servers(text: str) -> list[IceServer]:
    """Those of ``--ice_servers``. Raises `UserError`.

    One of each kind at most: aiortc would leave out the others without a word.
    """
    servers: dict[bool, IceServer] = {}
    for number, url in enumerate(text.replace(",", " ").split(), 1):
        match = _URL.fullmatch(url)
        relays = match is not None and match["scheme"] != "stun"
        if match is None or relays != (match["name"] is not None):
            raise UserError(  # without a word of it, since there may be a password inside
                "--ice_servers: expected stun:HOST:PORT or turn:NAME:PASSWORD@HOST:PORT, by spaces, "
                f"which number {number} is not"
            )
        if relays in servers:
            raise UserError("--ice_servers: expected at most one STUN and one TURN server")
        place = f"{match['scheme']}:{match['place']}"
        servers[relays] = IceServer(place, match["name"], match["password"])
    if servers and importlib.util.find_spec("aiortc") is None:
        raise UserError(f"--ice_servers is for WebRTC; {INSTALL}")
    return list(servers.values())
