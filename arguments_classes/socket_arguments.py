"""SocketArguments: flags of --mode socket."""

from dataclasses import dataclass, field
from typing import ClassVar

from arguments_classes.access_flags import AccessFlags
from arguments_classes.expect import expect, expect_port


@dataclass
class SocketArguments(AccessFlags):
    """Two TCP ports. Tokens may also come from S2S_TOKEN and S2S_TOKEN_FILE."""

    _argument_group_name: ClassVar[str] = "--mode socket"

    recv_host: str = field(
        default="localhost", metadata={"help": "address to listen on for the microphone's audio"}
    )
    recv_port: int = field(default=12345, metadata={"help": "port that receives the microphone's audio"})
    send_host: str = field(
        default="localhost", metadata={"help": "address to listen on for clients that play the reply"}
    )
    send_port: int = field(default=12346, metadata={"help": "port that sends the audio of the reply"})
    token: str | None = field(
        default=None,
        metadata={
            "help": "secret that clients must send; raw clients cannot send it, so they are refused"
        },
    )
    headphones: bool = field(
        default=False,
        metadata={"help": "users of raw clients wear headphones, so they can interrupt at any time"},
    )

    def __post_init__(self) -> None:
        expect_port("recv_port", self.recv_port)
        expect_port("send_port", self.send_port)
        same = self.recv_port == self.send_port != 0 and self.recv_host == self.send_host
        expect(not same, "send_port", "a port other than recv_port", self.send_port)
