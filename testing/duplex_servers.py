"""DuplexServer and DuplexWebServer: the real servers over a `FakeDuplexModel`."""

from typing import Any

from testing.duplex import FakeDuplexModel, duplex_engines
from testing.server import ScriptedServer, ScriptedWebServer


class DuplexServer(ScriptedServer):
    """The TCP server, on two free ports of the loopback address."""

    def __init__(self, model: FakeDuplexModel, **flags: Any) -> None:
        super().__init__(**flags)
        self.model = model
        self._engines = duplex_engines(model)

    def __exit__(self, *error: object) -> None:
        self.model.hold.open()
        super().__exit__(*error)


class DuplexWebServer(ScriptedWebServer):
    """The page and the WebSocket, on a free port of the loopback address."""

    def __init__(self, model: FakeDuplexModel, **flags: Any) -> None:
        super().__init__(**flags)
        self.model = model
        self._engines = duplex_engines(model)

    def __exit__(self, *error: object) -> None:
        self.model.hold.open()
        super().__exit__(*error)
