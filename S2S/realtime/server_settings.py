"""ServerSettings: the settings of the server's session, which follow those of ours."""

from collections.abc import Sequence

from pipeline.messages import ChatMessage
from pipeline.session import Session
from pipeline.settings import SessionSettings
from pipeline.turn import Turn
from S2S.realtime import requests
from S2S.realtime.configuration import Configuration
from S2S.realtime.requests import Event, SendEvent


class ServerSettings:
    """Sends the server what has changed. Everything happens on the thread of the loop."""

    def __init__(self, configuration: Configuration, session: Session, send: SendEvent) -> None:
        self._configuration = configuration
        self._session = session
        self._send = send
        self._by_hand = False
        """True if the user says when a turn ends, whatever the settings."""
        self._given: tuple[SessionSettings, bool] | None = None
        """The settings that the server has, and whether the user ended turns by hand then."""
        self._present: Event = {}
        """These settings in the form of the protocol."""

    def end_turns(self, *, by_hand: bool) -> None:
        """Let the user say when a turn ends, or, as before, leave that to the settings."""
        self._by_hand = by_hand
        self.follow()

    def follow(self) -> SessionSettings:
        """Send what has changed if there is a connection. Returns the session's settings."""
        settings = self._session.settings
        if self._given is not None:
            self._give(settings)
        return settings

    def give_all(self) -> None:
        """Send all settings: the connection is new."""
        self._give(self._session.settings)

    def lose(self) -> None:
        """Send nothing until the next connection."""
        self._given, self._present = None, {}

    def request(self, turn: Turn, context: Sequence[ChatMessage] | None) -> Event:
        """The event that requests the response of a turn, with its own settings."""
        wanted = self._configuration.of(turn.settings, by_hand=False)
        aside = not turn.remembered
        return requests.respond(turn.number, wanted, self._present, context=context, aside=aside)

    def _give(self, settings: SessionSettings) -> None:
        if (settings, self._by_hand) == self._given:  # as for almost every window of audio
            return
        self._given = (settings, self._by_hand)
        wanted = self._configuration.of(settings, by_hand=self._by_hand)
        if (event := requests.update(wanted, self._present)) is not None:
            self._send(event)
        self._present = wanted
