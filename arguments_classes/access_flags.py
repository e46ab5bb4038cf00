"""AccessFlags: flags of every mode that listens on the network."""

from dataclasses import dataclass, field


@dataclass
class AccessFlags:
    """The secret that clients share with the server."""

    token: str | None = field(default=None, metadata={"help": "secret that clients must send"})
    token_file: str | None = field(
        default=None,
        metadata={
            "help": "file of such secrets, one per line, read again when it changes; any of them lets a "
            "client in"
        },
    )
    insecure: bool = field(
        default=False,
        metadata={"help": "listen without a token, even where other machines can reach the server"},
    )
