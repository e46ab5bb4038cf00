"""WebSocketArguments: flags of --mode websocket."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect, expect_network, expect_port


@dataclass
class WebSocketArguments:
    """One port for the page and for programs. Tokens may also come from S2S_TOKEN, S2S_TOKEN_FILE."""

    _argument_group_name: ClassVar[str] = "--mode websocket"

    host: str = field(default="localhost", metadata={"help": "address at which people connect"})
    port: int = field(default=8000, metadata={"help": "port of the page and of the WebSocket"})
    token: str | None = field(default=None, metadata={"help": "what clients must know"})
    token_file: str | None = field(
        default=None,
        metadata={
            "help": "a file of such tokens, one a line, read anew when it changes: clients must know "
            "one of all that are set"
        },
    )
    insecure: bool = field(
        default=False, metadata={"help": "allow an address that others can reach without a token"}
    )
    allow_origins: str = field(
        default="",
        metadata={"help": "pages elsewhere that may connect, such as https://example.org, by spaces"},
    )
    max_sessions: int = field(default=60, metadata={"help": "how many may talk at once"})
    max_sessions_per_client: int = field(
        default=10,
        metadata={
            "help": "and how many of them from one address: enough for a family or a small office "
            "behind one router, a school wants more; this machine itself is not limited"
        },
    )
    max_attempts_per_minute: int = field(
        default=120,
        metadata={
            "help": "how often an address may connect or ask, with a right token or a wrong one: ten "
            "pages that come back after an outage do so 110 times in their first minute"
        },
    )
    forwarded_allow_ips: str = field(
        default="",
        metadata={
            "help": "addresses or networks of proxies, by spaces, that are believed when they say for "
            "whom they ask (X-Forwarded-For); by default none is, and all who come through one count "
            "as one client"
        },
    )
    ice_servers: str = field(
        default="",
        metadata={
            "help": "who helps calls over WebRTC through routers, by spaces: stun:HOST:PORT, "
            "turn:NAME:PASSWORD@HOST:PORT; by default nobody is asked"
        },
    )
    idle_timeout_s: float = field(
        default=600, metadata={"help": "a session in which nobody speaks for so long is ended"}
    )
    longest_session_s: float = field(
        default=4 * 3600, metadata={"help": "and one that lasts for so long"}
    )
    ssl_certfile: str | None = field(default=None, metadata={"help": "certificate, for HTTPS"})
    ssl_keyfile: str | None = field(default=None, metadata={"help": "its key"})

    def __post_init__(self) -> None:
        expect_port("port", self.port)
        for flag in ("max_sessions", "max_sessions_per_client", "max_attempts_per_minute"):
            most = getattr(self, flag)
            expect(most > 0, flag, "one or more", most)
        for network in self.forwarded_allow_ips.split():
            expect_network("forwarded_allow_ips", network)
        for flag in ("idle_timeout_s", "longest_session_s"):
            seconds = getattr(self, flag)
            expect(seconds > 0, flag, "seconds, more than none", seconds)
        both = (self.ssl_certfile is None) == (self.ssl_keyfile is None)
        expect(both, "ssl_certfile", "--ssl_keyfile beside it", "one without the other")
