"""Keys: what each key does during a conversation at a terminal."""

import signal

from listeners.terminal import STOPPED, Terminal
from listeners.upgrade_menu import UpgradeMenu
from pipeline.errors import EngineError, SessionBusy, SessionClosed
from pipeline.session import Session
from utils.keyboard import Key


class Keys:
    """The keys of one session. `screen` is None if something else than the conversation is written
    there: then only the keys that need none work."""

    def __init__(
        self, session: Session, screen: Terminal | None, menu: UpgradeMenu | None = None
    ) -> None:
        self._session = session
        self._screen = screen
        self._menu = menu
        self._by_hand = not session.settings.hands_free
        self._talking = False

    def press(self, key: str) -> None:
        """Handle a key: the character that it writes, or a `Key`."""
        if self._screen is not None and self._screen.typing:
            self._type(self._screen, key)
            return
        if self._menu is not None and self._menu.press(key):
            return
        match key:
            case " ":
                self._talk() if self._by_hand else self._mute()
            case Key.ENTER if self._by_hand:
                self._talk()
            case Key.ESCAPE if self._screen is not None and self._screen.panel_of is not None:
                self._screen.show(())
            case Key.ESCAPE:
                self._stop()
            case "q" | "Q":
                signal.raise_signal(signal.SIGINT)
            case _ if self._screen is not None:
                self._show(self._screen, key)

    def resume(self) -> None:
        """Go on after Ctrl-Z and fg: a turn begun before is void."""
        if self._talking:
            self._stop()
        if self._screen is not None:
            self._screen.redraw()

    def _talk(self) -> None:
        self._talking = not self._talking
        if self._talking:
            self._session.start_speech()
        else:
            self._session.commit_speech()

    def _mute(self) -> None:
        self._session.muted = not self._session.muted
        if self._screen is not None:
            self._screen.mute(self._session.muted)

    def _stop(self) -> None:
        """Take back the user's words if there are some, else stop the reply."""
        if self._talking or (self._screen is not None and self._screen.state.user_speaks):
            self._session.cancel_speech()
        else:
            self._session.interrupt(STOPPED)
        self._talking = False

    def _show(self, screen: Terminal, key: str) -> None:
        match key:
            case "t" | "T" if self._session.capabilities.texts:
                screen.begin_typing()
            case "b" | "B" if self._menu is not None:
                self._menu.toggle()
            case "l" | "L":
                screen.toggle_latency()
            case "?" | "h" | "H":
                screen.toggle_keys()

    def _type(self, screen: Terminal, key: str) -> None:
        match key:
            case Key.ESCAPE:
                screen.end_typing(send=False)
            case Key.ENTER:
                if text := screen.end_typing(send=True):
                    self._send(screen, text)
            case _:
                screen.edit(key)

    def _send(self, screen: Terminal, text: str) -> None:
        try:
            self._session.respond(text)
        except (EngineError, SessionBusy) as error:
            screen.refuse_typed(str(error))
        except SessionClosed:  # it ends at this moment
            return
