"""SocketServer: sessions over two TCP ports, one for microphones, one for loudspeakers."""

import asyncio
import socket
import sys
from itertools import count

from arguments_classes.socket_arguments import SocketArguments
from connections.access.credentials import Credentials
from connections.base import CLOSE_S, OpenSession, tell_loop
from connections.listen import open_port, take_port
from connections.tcp.pairing import Pairing
from connections.tcp.receiver import SocketReceiver
from connections.tcp.sender import SocketSender
from engines.upgrades import Upgrades
from listeners.session_log import SessionLog
from pipeline.capabilities import Capabilities
from pipeline.session import Session
from utils.shutdown import StopRequest


class SocketServer:
    """One thread does the input and output of all clients; each client has its own session."""

    def __init__(self, arguments: SocketArguments, shutdown: StopRequest) -> None:
        self._shutdown = shutdown
        self._credentials = Credentials(
            arguments.token, arguments.token_file, insecure=arguments.insecure
        )
        self._credentials.expect_safe("recv_host", arguments.recv_host)
        self._credentials.expect_safe("send_host", arguments.send_host)
        self._headphones = arguments.headphones
        self._arguments = arguments
        self._microphones = take_port("recv_", arguments.recv_host, arguments.recv_port)
        self._loudspeakers = take_port("send_", arguments.send_host, arguments.send_port)

    @property
    def ports(self) -> tuple[int, int]:
        """The ports of the microphones and of the loudspeakers; if 0 was asked for, as assigned."""
        return self._microphones.getsockname()[1], self._loudspeakers.getsockname()[1]

    def run(
        self,
        open_session: OpenSession,
        capabilities: Capabilities = Capabilities(),
        upgrades: Upgrades | None = None,
    ) -> int:
        """Serve until Ctrl-C."""
        self.open()
        # Not the loop of Windows, which would take the signals for itself (see Shutdown).
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(self._serve(open_session))
        return 130

    def open(self) -> None:
        """Let clients connect. Before that they are refused: a client speaks at once, and the program
        would be behind by all that it said meanwhile. Raises `UserError`."""
        open_port(self._microphones, "recv_", self._arguments.recv_host)
        open_port(self._loudspeakers, "send_", self._arguments.send_host)

    def close(self) -> None:
        """Release the ports without having served."""
        self._microphones.close()
        self._loudspeakers.close()

    async def _serve(self, open_session: OpenSession) -> None:
        loop, stop, numbers = asyncio.get_running_loop(), asyncio.Event(), count(1)
        self._shutdown.on_stop(lambda: tell_loop(loop, stop.set))

        def begin(sender: SocketSender, peer: str) -> Session:
            number = next(numbers)
            session = open_session(sender, f"{number} {peer}")
            session.events.add(SessionLog(number, peer))
            return session

        pairing = Pairing(begin, self._credentials)
        async with (
            await loop.create_server(lambda: SocketReceiver(pairing), sock=self._microphones),
            await loop.create_server(
                lambda: SocketSender(pairing, self._headphones), sock=self._loudspeakers
            ),
        ):
            microphones, loudspeakers = map(_name, (self._microphones, self._loudspeakers))
            print(
                f"  microphones connect to {microphones}, loudspeakers to {loudspeakers}; Ctrl-C ends",
                file=sys.stderr,
                flush=True,
            )
            await stop.wait()
            pairing.close()
            sessions = list(pairing.sessions)
            await asyncio.gather(*(asyncio.to_thread(s.join, CLOSE_S) for s in sessions))
            pairing.abort()


def _name(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"{host}:{port}"
