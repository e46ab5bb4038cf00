"""WebSocketArguments: flags of --mode websocket."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect, expect_port


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
        expect(self.max_sessions > 0, "max_sessions", "one or more", self.max_sessions)
        for flag in ("idle_timeout_s", "longest_session_s"):
            seconds = getattr(self, flag)
            expect(seconds > 0, flag, "seconds, more than none", seconds)
        both = (self.ssl_certfile is None) == (self.ssl_keyfile is None)
        expect(both, "ssl_certfile", "--ssl_keyfile beside it", "one without the other")
