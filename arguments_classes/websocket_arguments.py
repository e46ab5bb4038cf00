"""WebSocketArguments: flags of --mode websocket."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.access_flags import AccessFlags
from arguments_classes.expect import expect, expect_network, expect_port


@dataclass
class WebSocketArguments(AccessFlags):
    """One port for the page and programs. Tokens may also come from S2S_TOKEN and S2S_TOKEN_FILE.

    Ten sessions from one address suit a family or a small office behind one router; a school needs more.
    Ten pages that reconnect after an outage make 110 attempts in their first minute. Without
    `forwarded_allow_ips`, all clients behind a proxy count as one.
    """

    _argument_group_name: ClassVar[str] = "--mode websocket"

    host: str = field(default="localhost", metadata={"help": "address to listen on"})
    port: int = field(default=8000, metadata={"help": "port of the page and the WebSocket"})
    open: bool = field(
        default=False, metadata={"help": "open the page in the browser of this machine, if it has one"}
    )
    allow_origins: str = field(
        default="",
        metadata={
            "help": "origins of other web pages that may connect, such as https://example.org, "
            "separated by spaces"
        },
    )
    max_sessions: int = field(default=60, metadata={"help": "sessions at the same time"})
    max_sessions_per_client: int = field(
        default=10,
        metadata={"help": "sessions at the same time from one address, other than this machine's own"},
    )
    max_attempts_per_minute: int = field(
        default=120,
        metadata={
            "help": "connections and requests per minute from one address, whether its token is right "
            "or wrong"
        },
    )
    forwarded_allow_ips: str = field(
        default="",
        metadata={
            "help": "addresses or networks of trusted proxies, separated by spaces, whose X-Forwarded-"
            "For names the client"
        },
    )
    ice_servers: str = field(
        default="",
        metadata={
            "help": "STUN and TURN servers for WebRTC, separated by spaces: stun:HOST:PORT, "
            "turn:NAME:PASSWORD@HOST:PORT"
        },
    )
    idle_timeout_s: float = field(
        default=600, metadata={"help": "end a session after this many seconds without speech"}
    )
    longest_session_s: float = field(
        default=4 * 3600, metadata={"help": "end any session after this many seconds"}
    )
    ssl_certfile: str | None = field(default=None, metadata={"help": "TLS certificate, for HTTPS"})
    ssl_keyfile: str | None = field(default=None, metadata={"help": "private key of the certificate"})

    def __post_init__(self) -> None:
        expect_port("port", self.port)
        for flag in ("max_sessions", "max_sessions_per_client", "max_attempts_per_minute"):
            most = getattr(self, flag)
            expect(most > 0, flag, "1 or more", most)
        for network in self.forwarded_allow_ips.split():
            expect_network("forwarded_allow_ips", network)
        for flag in ("idle_timeout_s", "longest_session_s"):
            seconds = getattr(self, flag)
            expect(seconds > 0, flag, "more than 0 seconds", seconds)
        both = (self.ssl_certfile is None) == (self.ssl_keyfile is None)
        expect(both, "ssl_certfile", "--ssl_keyfile beside it", "one without the other")
