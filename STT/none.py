"""No recognizer: the utterance goes to a language model that hears."""

from pipeline.engine_info import RecognizerInfo
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription


class NoRecognizer:
    """Recognizes no words. In the conversation "(spoken)" stands for them, and the newest message has
    its audio."""

    info = RecognizerInfo(
        name="none",
        slots=16,
        device="",
        sample_rate_hz=16000,  # as models that hear want it
        languages=("any",),
        writes=False,
    )

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """No words."""
        return Transcription("", unheard=True)

    def close(self) -> None:
        """Nothing to free."""
