"""TurnJudges: the models that judge whether the user has finished."""

from dataclasses import dataclass

from pipeline.shared_engine import SharedEngine
from VAD.base import SentenceJudge, TurnDetector


@dataclass(frozen=True, slots=True)
class TurnJudges:
    """The models, shared by all sessions. None: there is no such model."""

    by_ear: SharedEngine[TurnDetector] | None = None
    by_words: SharedEngine[SentenceJudge] | None = None

    def __bool__(self) -> bool:
        return self.by_ear is not None or self.by_words is not None

    def close(self) -> None:
        """Free the weights."""
        for judge in (self.by_ear, self.by_words):
            if judge is not None:
                judge.close()


NO_JUDGES = TurnJudges()
"""The length of the pause alone ends a turn."""
