"""PageAddress: where to open the page of a server, for the person who started it."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from connections.access.credentials import is_loopback

_SOMEWHERE = ("192.0.2.1", 9)
"""An address for examples (RFC 5737): the system tells from which of its own it would send there."""


@dataclass(frozen=True, slots=True)
class PageAddress:
    """The address of the page; `host` is that of `--host`, `token` one that the server accepts."""

    host: str
    port: int
    is_secure: bool
    token: str | None

    def link(self, *, with_token: bool) -> str:
        """The address for a browser on this machine."""
        here = "localhost" if self._is_everywhere else self.host
        fragment = f"#token={quote(self.token, safe='')}" if self.token and with_token else ""
        return f"{self._at(here)}{fragment}"

    def lines(self, *, with_token: bool) -> Iterator[str]:
        """The lines to print; with the token only where nobody else reads them."""
        asks = " (it asks for the token)" if self.token and not with_token else ""
        yield f"open {self.link(with_token=with_token)} in a browser{asks}; Ctrl-C ends"
        if is_loopback(self.host):
            return
        if self._is_everywhere and (address := _own_address()):
            yield f"on other machines: {self._at(address)}"
        if not self.is_secure:
            yield (
                "browsers allow the microphone only with https or on localhost; for other machines add "
                "--ssl_certfile and --ssl_keyfile"
            )

    @property
    def _is_everywhere(self) -> bool:
        return self.host in ("", "0.0.0.0", "::")

    def _at(self, host: str) -> str:
        scheme = "https" if self.is_secure else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"


def _own_address() -> str | None:
    """The address of this machine in its network. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_SOMEWHERE)
        except OSError:  # there is no network
            return None
        address: str = probe.getsockname()[0]
        return address
