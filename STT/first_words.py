"""FirstWords: recognizes the beginning of speech while it goes on, to judge whether it is a turn."""

from collections.abc import Callable

from pipeline.audio import resample
from pipeline.language import if_spoken
from pipeline.messages import Samples
from pipeline.session import Session
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Recognizer


class FirstWords:
    """Recognizes for one session, beside the pipeline: one call at a time, and only on an idle slot."""

    def __init__(self, recognizer: SharedEngine[Recognizer], session: Session) -> None:
        self._recognizer = recognizer
        self._session = session
        self._busy = False

    def ask(self, samples: Samples, rate_hz: int, tell: Callable[[str, str | None], None]) -> bool:
        """Recognize `samples`, then call `tell` with the text and its language. Does not wait; returns
        False if there is no room for the call now."""
        if self._busy or not self._recognizer.idle_slots:
            return False
        self._busy = True
        self._session.activity.woke()

        def recognize(recognizer: Recognizer) -> None:
            try:
                language = if_spoken(recognizer.info.languages, self._session.settings.language)
                audio = resample(samples, rate_hz, recognizer.info.sample_rate_hz)
                heard = recognizer.transcribe(audio, language, CancelToken())
                tell(heard.text, heard.language or language)
            finally:
                self._busy = False
                self._session.activity.sleeps()

        self._recognizer.later(recognize)
        return True
