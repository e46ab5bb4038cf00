"""Commits: the utterances that the user begins and ends by hand."""

import math

from pipeline.messages import ManualTurn
from pipeline.session import Session
from S2S.realtime import requests
from S2S.realtime.deadline import Deadline, too_late
from S2S.realtime.replies import STAGE
from S2S.realtime.requests import SendEvent
from S2S.realtime.server_settings import ServerSettings


class Commits:
    """Passes the user's signals on. From the signal that begins an utterance until the server has
    confirmed its commit, the server must not detect turns. Everything happens on the thread of the
    loop."""

    def __init__(self, session: Session, settings: ServerSettings, send: SendEvent) -> None:
        self._session = session
        self._settings = settings
        self._send = send
        self._is_held = False
        self._number = 0
        """Commits that the server has not confirmed."""
        self._deadline: Deadline | None = None
        """The time by which they are to be confirmed."""

    @property
    def is_held(self) -> bool:
        """True between the signals that begin and end an utterance."""
        return self._is_held

    @property
    def are_awaited(self) -> bool:
        """True if the server has not confirmed all commits."""
        return self._number > 0

    def signal(self, action: ManualTurn) -> None:
        """Pass on a signal of the user."""
        self._is_held = action is ManualTurn.START
        if action is ManualTurn.CANCEL:
            self._send(requests.clear())
        elif action is ManualTurn.COMMIT:
            self._await(self._number + 1)
            self._send(requests.commit())
        self._tell()

    def settle(self) -> bool:
        """The server has confirmed or refused a commit. Returns False if none was awaited."""
        if not self.are_awaited:
            return False
        self._await(self._number - 1)
        self._tell()
        return True

    def give_up(self) -> None:
        """Wait for none any more."""
        self._await(0)
        self._tell()

    def _await(self, number: int) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._number = number
        self._deadline = Deadline(self._stalled) if number else None

    def _tell(self) -> None:
        by_hand = self.is_held or self.are_awaited
        self._settings.end_turns(by_hand=by_hand)
        if not by_hand:  # the session gave the user the floor when the utterance began
            self._session.playout.floor_until(-math.inf)

    def _stalled(self) -> None:
        self.give_up()
        self._session.report(STAGE, too_late())
