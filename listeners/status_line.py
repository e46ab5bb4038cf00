"""StatusLine: the last line of the live screen: whose turn it is, how loud it is, what one may do."""

import time
from collections.abc import Callable, Sequence

from rich.text import Text

from listeners.display_state import DisplayState, State
from listeners.glyphs import Glyphs
from pipeline.events import (
    Event,
    InputLevel,
    OutputLevel,
    Transcript,
    TurnPending,
)

_WORDS: dict[State, tuple[str, str]] = {
    "off": ("Off", "dim"),
    "connecting": ("Connecting", "dim"),
    "offline": ("Offline", "red"),
    "hearing": ("Hearing you", "bold green"),
    "waiting": ("One moment", "bold green"),
    "speaking": ("Speaking", "cyan"),
    "thinking": ("Thinking", "yellow"),
    "muted": ("Muted", "red"),
    "ready": ("Space to talk", "green"),
    "listening": ("Listening", "green"),
}
"""The word for each state, and its style. A terminal does not tell when a key is released, so in push to
talk the key is pressed twice, not held."""

_ONGOING = ("connecting", "waiting")
"""States that an ellipsis follows."""

_WORD_WIDTH = len("Space to talk")
_HINTS: dict[State, str] = {
    "speaking": "talk or Esc to stop it",
    "muted": "Space to go on",
}
_NO_SOUND = (
    "no sound comes from this microphone: is it the right one?",
    "no sound: the right microphone?",
)
_LEAST_CELLS, _MOST_CELLS, _COLUMNS_A_CELL = 5, 20, 8

_SILENT_RMS = 1e-4
"""-80 dB: no room is as quiet; a microphone that gives this is off, or another one is meant."""

_SILENT_S = 6.0

FLASH_S = 3.0


class StatusLine:
    """Follows levels and waits; drawn from them and the state of the session."""

    def __init__(
        self,
        state: DisplayState,
        glyphs: Glyphs,
        *,
        with_keys: bool,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state = state
        self._glyphs = glyphs
        self._with_keys = with_keys
        self._now = now
        self._level = self._own_level = 0.0
        self._audible_at = now()
        self._understood = False
        """True once words came from the microphone: then a noise gate or a mute key silences it."""
        self._waits_s = self._wait_ends = 0.0
        self._flash = ""
        self._flash_ends = 0.0

    def flash(self, text: str) -> None:
        """Show this hint for a moment."""
        self._flash, self._flash_ends = text, self._now() + FLASH_S

    def follow(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case InputLevel(rms=rms):
                self._level = rms
                if rms > _SILENT_RMS or self._state.name not in ("listening", "hearing"):
                    self._audible_at = self._now()
            case Transcript(text=text) if text:
                self._understood = True
            case OutputLevel(rms=rms):
                self._own_level = rms
            case TurnPending(pending=True, longest_ms=longest_ms):
                self._waits_s = longest_ms / 1000
                self._wait_ends = self._now() + self._waits_s
            case TurnPending():
                self._waits_s = 0.0

    def draw(self, width: int, *hints: str) -> Text:
        """The line. The first of `hints` that fits takes the place of its own."""
        name = self._state.name
        word, style = _WORDS[name]
        word += self._glyphs.more if name in _ONGOING else ""
        line = Text(f"{self._glyphs.symbols[name]} {word:<{_WORD_WIDTH}} ", style)
        cells = max(_LEAST_CELLS, min(_MOST_CELLS, width // _COLUMNS_A_CELL))
        if self._state.capabilities.duplex:
            line.append(self._glyphs.meter(self._level, cells), "green")
            line.append(self._glyphs.meter(self._own_level, cells), "cyan")
        elif name == "speaking":
            line.append(self._glyphs.meter(self._own_level, cells))
        elif name == "waiting" and (left_s := self._wait_ends - self._now()) > 0 < self._waits_s:
            line.append(self._glyphs.fill(left_s / self._waits_s, cells))
        else:
            line.append(self._glyphs.meter(self._level, cells))
        room = width - line.cell_len - 2
        if hint := next((hint for hint in hints or self._hints(name) if len(hint) < room), ""):
            line.append(f"  {hint}", "dim not bold")
        return line

    def _hints(self, name: State) -> Sequence[str]:
        """The hint, and shorter words for it."""
        silent = name == "listening" and self._now() - self._audible_at > _SILENT_S
        if silent and not self._understood:
            return _NO_SOUND
        if self._now() < self._flash_ends:
            return (self._flash,)
        return (_HINTS.get(name, ""),) if self._with_keys else ()
