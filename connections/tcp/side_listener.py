"""SideListener: where the two sockets of a TCP client report what becomes of them."""

from typing import Protocol, TypeVar

from connections.tcp.wire import Hello
from pipeline.errors import ProtocolError

Side = TypeVar("Side", contravariant=True)


class SideListener(Protocol[Side]):
    """Called on the thread of the server, each time with the socket that reports."""

    def arrived(self, side: Side) -> None:
        """It is connected, and nothing has come over it yet."""

    def hello(self, side: Side, hello: Hello) -> None:
        """It belongs to one of our clients."""

    def said_everything(self, side: Side) -> None:
        """No more audio will come; the client may still listen to the answer."""

    def refuse(self, side: Side, error: ProtocolError) -> None:
        """Hang it up, and tell the client why if it can be told."""

    def left(self, side: Side) -> None:
        """It is closed."""
