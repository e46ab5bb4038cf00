"""WebSocketServer: one port for the page and for programs, on FastAPI and uvicorn."""

import importlib
import logging
import sys
import threading

import uvicorn

from arguments_classes.websocket_arguments import WebSocketArguments
from connections.access.attempt_limiter import AttemptLimiter
from connections.access.authenticator import Authenticator
from connections.access.client_registry import ClientRegistry
from connections.access.credentials import Credentials
from connections.base import CLOSE_S, OpenSession
from connections.listen import listen
from connections.realtime.ice_server import ice_servers
from connections.web.app import build_app
from connections.web.page_address import PageAddress
from engines.upgrades import Upgrades
from pipeline.capabilities import Capabilities
from pipeline.errors import UserError
from utils.browser import open_page
from utils.shutdown import StopRequest

MAX_MESSAGE = 1 << 22
"""Bytes: a minute of audio in base64, which clients of the Realtime protocol may send in one piece."""

GOODBYE_S = 2.0
"""Time for the last messages to all clients when the server stops; some may not be reading."""


class WebSocketServer:
    """The event loop of uvicorn does the input and output of all clients, on its own thread; each client
    has its own session."""

    def __init__(self, arguments: WebSocketArguments, shutdown: StopRequest) -> None:
        self._arguments = arguments
        self._shutdown = shutdown
        self._credentials = Credentials(
            arguments.token,
            arguments.token_file,
            insecure=arguments.insecure,
            origins=arguments.allow_origins,
        )
        self._credentials.expect_safe("host", arguments.host)
        self._ice = ice_servers(arguments.ice_servers)
        self._socket = listen("", arguments.host, arguments.port)

    @property
    def port(self) -> int:
        """The port; if 0 was asked for, as assigned."""
        port: int = self._socket.getsockname()[1]
        return port

    def run(
        self,
        open_session: OpenSession,
        capabilities: Capabilities = Capabilities(),
        upgrades: Upgrades | None = None,
    ) -> int:
        """Serve until Ctrl-C."""
        registry = ClientRegistry(open_session, self._arguments, capabilities)
        server = uvicorn.Server(self._configuration(registry, upgrades))
        serving = threading.Thread(target=server.run, args=([self._socket],), name="web")
        stopped = threading.Event()
        self._shutdown.on_stop(stopped.set)
        serving.start()
        try:
            self._say_where()
            importlib.import_module("connections.realtime.client")  # 0.4 s, which no client waits for
            stopped.wait()
        finally:  # also if nobody reads standard error any more
            for session in registry.close():
                session.join(CLOSE_S)
            registry.wait_for_connections(GOODBYE_S)
            server.should_exit = True
            serving.join()
        return 130

    def close(self) -> None:
        """Release the port without having served."""
        self._socket.close()

    def _say_where(self) -> None:
        """Print where the page is. The token is in the link only where a person alone reads it: standard
        error may be a log, also if a container gives it a terminal without a keyboard."""
        alone = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
        page = PageAddress(
            self._arguments.host,
            self.port,
            is_secure=self._arguments.ssl_certfile is not None,
            token=self._credentials.a_token,
        )
        for line in page.lines(with_token=alone):
            print(f"  {line}", file=sys.stderr)
        if self._arguments.open:
            open_page(page.link(with_token=False))  # everybody here can read a browser's command line

    def _configuration(self, registry: ClientRegistry, upgrades: Upgrades | None) -> uvicorn.Config:
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        proxies = self._arguments.forwarded_allow_ips.split()
        authenticator = Authenticator(
            self._credentials, AttemptLimiter(self._arguments.max_attempts_per_minute)
        )
        configuration = uvicorn.Config(
            build_app(registry, authenticator, self._ice, upgrades),
            ws="websockets-sansio",
            ws_max_size=MAX_MESSAGE,
            ws_per_message_deflate=False,  # compression delays audio and hardly shrinks it
            lifespan="on",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=1,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies,
            ssl_certfile=self._arguments.ssl_certfile,
            ssl_keyfile=self._arguments.ssl_keyfile,
        )
        try:
            configuration.load()
        except (OSError, ValueError) as error:
            raise UserError(
                f"--ssl_certfile: expected a certificate and its key in PEM ({error})"
            ) from error
        return configuration


def _is_news(record: logging.LogRecord) -> bool:
    """False for a response that has no end: `HeldResponse` has logged why it broke off."""
    return record.msg != "ASGI callable returned without completing response."
