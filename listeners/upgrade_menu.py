"""UpgradeMenu: better parts on the live screen, by number: fetched, put to use, and undone."""

from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from listeners.terminal import Terminal
from pipeline.errors import EngineError
from utils.hub import size_text
from utils.keyboard import Key

_BAR_CELLS = 10


class UpgradeMenu:
    """The menu of one conversation. Its methods run on the thread of the keys, `_changed` on that of an
    upgrade."""

    def __init__(self, upgrades: Upgrades, screen: Terminal) -> None:
        self._upgrades = upgrades
        self._screen = screen
        self._states: dict[str, OfferState] = {}
        self._told = ""

    @property
    def is_open(self) -> bool:
        """True while the menu is shown."""
        return self._screen.panel_of is self

    def toggle(self) -> None:
        """Show the menu, or hide it."""
        if self.is_open:
            self._screen.show(())
        else:
            self._told = ""
            self._look()
            self._draw()

    def press(self, key: str) -> bool:
        """Handle a key; returns False if it is none of the menu's. Enter, which begins a turn in push to
        talk, does nothing here."""
        if self.is_open and key == Key.ENTER:
            return True
        if not (self.is_open and key.isdecimal() and 1 <= int(key) <= len(self._states)):
            return False
        name = list(self._states)[int(key) - 1]
        self._told = ""
        try:
            if self._states[name].state == "in_use":
                self._upgrades.undo(name)
                self._look()
            else:
                self._upgrades.begin(name, self._changed)
        except EngineError as error:
            self._told = str(error)
        self._draw()
        return True

    def _look(self) -> None:
        self._states = {state.offer.name: state for state in self._upgrades.offers()}

    def _changed(self, state: OfferState) -> None:
        news = state.state != self._states[state.offer.name].state
        if state.state == "in_use":
            self._states = {name: _beside(state, other) for name, other in self._states.items()}
        self._states[state.offer.name] = state
        if self.is_open:
            self._draw()
        elif news and state.state == "in_use":
            self._screen.note(f"{state.offer.title} is in use from the next answer on; B goes back")
        elif news and state.state == "failed":
            self._screen.note(f"{state.offer.title}: {state.error}")

    def _draw(self) -> None:
        rows = [(str(number), self._line(name)) for number, name in enumerate(self._states, 1)]
        self._screen.show((*rows, ("", self._told or "A number chooses, Esc closes.")), self)

    def _line(self, name: str) -> str:
        state = self._states[name]
        offer = state.offer
        match state.state:
            case "available":
                size = size_text(offer.size_bytes) if offer.size_bytes else "already here"
                return f"{offer.title}: {offer.about} ({size}, {offer.license})"
            case "downloading":
                bar = self._screen.glyphs.fill(state.progress, _BAR_CELLS)
                return f"{offer.title} {bar} {100 * state.progress:.0f} %"
            case "loading":
                return f"{offer.title}: loading{self._screen.glyphs.more}"
            case "in_use":
                return f"{offer.title}: in use; the same number goes back"
            case "failed":
                return f"{offer.title}: {state.error}"


def _beside(in_use: OfferState, other: OfferState) -> OfferState:
    """The state of another offer once this one is in use: one of the same stage makes way."""
    made_way = other.state == "in_use" and other.offer.stage == in_use.offer.stage
    return OfferState(other.offer) if made_way else other
