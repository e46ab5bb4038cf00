"""Tunnel: a proxy between the page and the server, which can break."""

import contextlib
import socket
import threading


class Tunnel:
    """It can cut its connections, let none through for a while, lose what one side sends, and lead to
    another server. Its port stays its own, so that nobody else takes it while the server is away."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._open = True
        self._ends: list[socket.socket] = []
        self._lost: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break the connections that there are."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def shut(self) -> None:
        """Break the connections, and those that come, until the tunnel leads to a server again."""
        self._open = False
        self.cut()

    def lead_to(self, server_port: int) -> None:
        """Let connections through, to this server."""
        self._server_port, self._open = server_port, True

    def lose(self, *, from_page: bool) -> None:
        """Pass nothing more on from this side of the connections that there are."""
        self._lost.update(self._ends[0 if from_page else 1 :: 2])

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._connect(self._listening.accept()[0])

    def _connect(self, near: socket.socket) -> None:
        try:
            if not self._open:
                raise ConnectionRefusedError
            far = socket.create_connection(("127.0.0.1", self._server_port))
        except OSError:
            near.close()
            return
        self._ends += [near, far]
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(one, other), daemon=True).start()
        if not self._open:  # shut in the meantime
            self.cut()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                if one not in self._lost:
                    other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        one.close()
