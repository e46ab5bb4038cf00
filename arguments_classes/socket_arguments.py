"""SocketArguments: flags of --mode socket."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.expect import expect, expect_port


@dataclass
class SocketArguments:
    """Two TCP ports. Tokens may also come from S2S_TOKEN, S2S_TOKEN_FILE."""

    _argument_group_name: ClassVar[str] = "--mode socket"

    recv_host: str = field(default="localhost", metadata={"help": "address of the microphone's port"})
    recv_port: int = field(default=12345, metadata={"help": "port that takes the microphone's audio"})
    send_host: str = field(default="localhost", metadata={"help": "address of the loudspeaker's port"})
    send_port: int = field(default=12346, metadata={"help": "port that gives the loudspeaker's audio"})
    token: str | None = field(
        default=None,
        metadata={"help": "what clients must know; raw clients, which cannot say it, are refused then"},
    )
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
    headphones: bool = field(
        default=False,
        metadata={"help": "raw clients wear headphones: they may speak at any time, and interrupt"},
    )

    def __post_init__(self) -> None:
        expect_port("recv_port", self.recv_port)
        expect_port("send_port", self.send_port)
        same = self.recv_port == self.send_port != 0 and self.recv_host == self.send_host
        expect(not same, "send_port", "another port than recv_port", self.send_port)
