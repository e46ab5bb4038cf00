"""Audience: the listeners of every session, chosen by the command's flags."""

import sys
from pathlib import Path

from rich.console import Console

from arguments_classes.module_arguments import ModuleArguments
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from listeners.json_lines import JsonLines
from listeners.key_list import key_list
from listeners.keys import Keys
from listeners.latency_report import LatencyReport
from listeners.lines import Lines
from listeners.listener import Listener
from listeners.terminal import Terminal
from listeners.upgrade_menu import UpgradeMenu
from pipeline.session import Session
from utils.keyboard import Keyboard, has_keyboard

LAST_WORDS_S = 1.0
"""Time the listeners get to report the last events."""


class Audience:
    """Attaches a listener to every new session: JSON for machines, a live screen, or plain lines; to a
    local session at a terminal also the keys."""

    def __init__(self, arguments: ModuleArguments) -> None:
        self._arguments = arguments
        self._listeners: list[Listener] = []
        self._keyboard: Keyboard | None = None
        self.upgrades: Upgrades | None = None
        """The better parts that a key offers, once the engines are loaded."""
        path = arguments.latency_report
        self._report = None if path is None else LatencyReport(Path(path))
        if arguments.mode == "local" and has_keyboard():  # early: keys are not echoed while it loads
            self._keyboard = Keyboard().__enter__()

    def attend(self, session: Session, label: str) -> None:
        """Listen to a new session."""
        self._listeners = [listener for listener in self._listeners if listener.alive]
        listener = self._listener(session, label)
        self._listeners.append(listener)
        if self._report is not None:
            self._listeners.append(self._report.listen(session, label))
        if self._keyboard is not None:
            screen = listener if isinstance(listener, Terminal) else None
            keys = Keys(session, screen, self._menu(screen))
            self._keyboard.read(keys.press, keys.resume)

    def leave(self) -> None:
        """Wait until the last events have been reported, and write the latency report, if any."""
        if self._keyboard is not None:
            self._keyboard.__exit__()
        for listener in self._listeners:
            listener.join(LAST_WORDS_S)
        if self._report is not None:
            self._report.write()

    def _offers(self) -> list[OfferState]:
        return [] if self.upgrades is None else self.upgrades.offers()

    def _menu(self, screen: Terminal | None) -> UpgradeMenu | None:
        if self.upgrades is None or screen is None or not self._offers():
            return None
        return UpgradeMenu(self.upgrades, screen)

    def _listener(self, session: Session, label: str) -> Listener:
        one_session, on_screen = self._arguments.mode in ("local", "file"), sys.stdout.isatty()
        if self._arguments.json_events:
            return JsonLines(session, label)
        if self._arguments.mode == "local" and on_screen and not Console().is_dumb_terminal:
            keys = key_list(session, has_offers=bool(self._offers())) if self._keyboard else ()
            return Terminal(session, latency=self._arguments.latency, keys=keys)
        with_text = one_session or on_screen or self._arguments.log_transcripts
        return Lines(session, "" if one_session else label, with_text=with_text)
