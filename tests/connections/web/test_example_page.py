"""examples/minimal_websocket_client.html in a real browser, whose microphone asks a question."""

import functools
import http.server
import threading
from pathlib import Path
from typing import Any

import pytest

from testing.server import ScriptedWebServer
from tests.command import ROOT
from tests.connections.web.browser import CHROMIUM, PATIENCE_MS
from VAD.silero import SileroDetector

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a log."""

    def log_message(self, format: str, *args: object) -> None: ...


def test_the_smallest_page_talks(browser: Any, tmp_path: Path) -> None:
    """Served from a folder, at an origin of its own, as its comment says."""
    example = (ROOT / "examples/minimal_websocket_client.html").read_text("utf-8")
    assert example.count("localhost:8000") == 1
    folder = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), folder) as elsewhere:
        threading.Thread(target=elsewhere.serve_forever).start()
        origin = f"http://127.0.0.1:{elsewhere.server_port}"
        with ScriptedWebServer(vad=SileroDetector(), allow_origins=origin) as server:
            (tmp_path / "index.html").write_text(
                example.replace("localhost:8000", f"127.0.0.1:{server.port}"), "utf-8"
            )
            page = browser.new_page()
            page.set_default_timeout(PATIENCE_MS)
            try:
                page.goto(f"{origin}/")
                page.click("#talk")
                page.wait_for_selector("#log:text-matches('you: .+machine: .+', 's')")
            finally:
                page.close()
                elsewhere.shutdown()
