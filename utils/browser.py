"""The browser of this machine, if it has one."""

import os
import sys
import threading


def open_page(url: str) -> None:
    """Open a page in the browser, without waiting for it. Where there is no screen, do nothing: a
    browser for the terminal, which Python would start then, has no microphone."""
    if sys.platform not in ("darwin", "win32") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return
    import webbrowser  # not above: most runs do not need it

    threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True).start()
