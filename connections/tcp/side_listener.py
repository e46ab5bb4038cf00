"""SideListener: receives the reports of the two sockets of a TCP client."""

from typing import Protocol, TypeVar

from connections.tcp.wire import Hello
from pipeline.errors import ProtocolError

Side = TypeVar("Side", contravariant=True)


class SideListener(Protocol[Side]):
    """Called on the thread of the server, each time with the socket that reports."""

    def arrived(self, side: Side) -> None:
        """The socket is connected; nothing has arrived on it yet."""

    def hello(self, side: Side, hello: Hello) -> None:
        """A hello arrived: the socket belongs to one of our clients."""

    def ended(self, side: Side) -> None:
        """The client will send no more audio; it may still listen to the reply."""

    def refuse(self, side: Side, error: ProtocolError) -> None:
        """Hang up, and tell the client why if its protocol can."""

    def left(self, side: Side) -> None:
        """The socket is closed."""
