"""The language that the recognizer detects is passed to it in the next turn of the conversation."""

from pipeline.messages import Samples
from pipeline.settings import SessionSettings
from pipeline.turn import CancelToken
from STT.base import Transcription
from testing.conversation import Conversation
from testing.fakes import ScriptedRecognizer


class Polyglot(ScriptedRecognizer):
    """Detects these languages, one after the other."""

    def __init__(self, *detected: str | None) -> None:
        super().__init__()
        self.asked: list[str | None] = []
        self._detected = list(detected)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        self.asked.append(language)
        return Transcription("bonjour", self._detected.pop(0))


def asked(*detected: str | None, language: str | None = None) -> list[str | None]:
    """The languages that a recognizer with these detections is asked for, turn by turn."""
    recognizer = Polyglot(*detected)
    with Conversation(stt=recognizer, settings=SessionSettings(language=language)) as talk:
        for turn in range(1, len(detected) + 1):
            talk.ask()
            talk.until_done(turn)
    return recognizer.asked


def test_the_last_language_that_was_detected_is_said() -> None:
    assert asked("fr-auto", "en-auto", "en-auto") == [None, "fr-auto", "en-auto"]


def test_a_language_that_was_not_detected_is_not_said_again() -> None:
    assert asked("en", None, "en") == [None, None, None]


def test_what_the_session_says_wins() -> None:
    assert asked("fr-auto", "fr-auto", language="en") == ["en", "en"]
