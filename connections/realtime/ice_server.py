"""IceServer: a server that helps calls over WebRTC through routers."""

import importlib.util
import re
from dataclasses import dataclass, field

from pipeline.errors import UserError
from utils.installation import install_extra

INSTALL = install_extra("webrtc")

_URL = re.compile(
    r"(?P<scheme>stun|turns?):((?P<name>[^:@]+):(?P<password>[^@]+)@)?"
    r"(?P<place>[\w.-]+(:\d+)?(\?transport=(udp|tcp))?)"
)


@dataclass(frozen=True, slots=True)
class IceServer:
    """A STUN server tells us our public address; a TURN server relays the audio."""

    url: str
    """In the form of RFC 7064 and RFC 7065."""
    name: str | None = None
    password: str | None = field(default=None, repr=False)


def ice_servers(text: str) -> list[IceServer]:
    """Parse ``--ice_servers``. Raises `UserError`.

    At most one of each kind is allowed: aiortc would ignore the others silently.
    """
    servers: dict[bool, IceServer] = {}
    for number, url in enumerate(text.replace(",", " ").split(), 1):
        match = _URL.fullmatch(url)
        relays = match is not None and match["scheme"] != "stun"
        if match is None or relays != (match["name"] is not None):
            raise UserError(  # without quoting it, since it may contain a password
                "--ice_servers: expected stun:HOST:PORT or turn:NAME:PASSWORD@HOST:PORT, separated by "
                f"spaces, which number {number} is not"
            )
        if relays in servers:
            raise UserError("--ice_servers: expected at most one STUN and one TURN server")
        place = f"{match['scheme']}:{match['place']}"
        servers[relays] = IceServer(place, match["name"], match["password"])
    if servers and importlib.util.find_spec("aiortc") is None:
        raise UserError(f"--ice_servers needs WebRTC; type: {INSTALL}")
    return list(servers.values())
