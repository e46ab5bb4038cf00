"""Notices: reports, once, that an engine does not work as was asked for."""

from collections.abc import Callable

from pipeline.events import NoticeGiven
from pipeline.mailbox import Mailboxes
from pipeline.messages import Notice
from pipeline.turn import Turn


class Notices:
    """The notices of one session. None is given twice in a row, nor for a turn that is taken back."""

    def __init__(
        self, events: Mailboxes, when_committed: Callable[[Turn, Callable[[], None]], None]
    ) -> None:
        self._events = events
        self._when_committed = when_committed
        self._latest: dict[tuple[str, str], str] = {}

    def give(self, stage: str, turn: Turn, notice: Notice) -> None:
        """Emit the notice once `turn` is committed, unless it only repeats the latest one."""

        def tell() -> None:
            latest = self._latest.get((stage, notice.code))
            if latest != notice.text and not (notice.over and latest is None):
                self._latest[stage, notice.code] = notice.text
                self._events.emit(NoticeGiven(stage, notice.code, notice.text, turn.number))

        self._when_committed(turn, tell)
