"""VADHandler: the first stage, from windows of the microphone to utterances, each with its turn."""

from collections.abc import Callable, Generator
from typing import ClassVar

from pipeline.handler import BaseHandler
from pipeline.messages import (
    EndOfTurn,
    JudgedWindow,
    ManualTurn,
    ManualTurnSignal,
    Utterance,
    VoiceBlock,
)
from pipeline.session import Session
from pipeline.settings import EndpointerSettings
from VAD.base import PartialListener
from VAD.listener import Listener
from VAD.shared_vad import SharedVAD
from VAD.turn_end_policy import TurnEndPolicy


class VADHandler(BaseHandler[JudgedWindow | ManualTurnSignal]):
    """Sends on the utterances that a `Listener` finds.

    All of it runs on the thread of the `SharedVAD`, which takes the windows out of `queue_in`, judges
    them and serves this stage with them; the stage's own thread waits until its channel ends.
    """

    name: ClassVar[str] = "vad"
    takes = (JudgedWindow, ManualTurnSignal)

    def setup(
        self,
        shared_vad: SharedVAD,
        settings: EndpointerSettings,
        session: Session,
        turn_ends: TurnEndPolicy,
        has_room: Callable[[], bool] = lambda: True,
        partials: PartialListener | None = None,
    ) -> None:
        detector = shared_vad.detector
        window = (detector.sample_rate_hz, detector.window_samples)
        self._shared_vad = shared_vad
        self._session = session
        self.stream = detector.open()
        self.listener = Listener(session, window, settings, turn_ends, has_room, partials)

    def process(
        self, message: JudgedWindow | ManualTurnSignal
    ) -> Generator[Utterance | VoiceBlock | EndOfTurn, None, None]:
        """Hear one window, or a signal from the user."""
        starts = isinstance(message, ManualTurnSignal) and message.action is ManualTurn.START
        if starts and not self.listener.in_speech:
            self.stream.reset()
        yield from self.listener.hear(message)

    def finish(self) -> Generator[Utterance | VoiceBlock | EndOfTurn, None, None]:
        """End the utterance, since the recording has ended."""
        yield from self.listener.finish()

    def failed(self, message: JudgedWindow | ManualTurnSignal, error: Exception) -> None:
        """Leave the window out."""
        self._session.report(self.name, error)
        self.stream.reset()

    def serve_channel(self) -> None:
        """Let the shared thread serve this stage."""
        self._shared_vad.attend(self)
        self._send(self.finish(), None)
