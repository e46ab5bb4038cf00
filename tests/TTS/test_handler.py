"""The TTS stage."""

from collections.abc import Iterator

import numpy as np

from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from testing.conversation import Conversation
from testing.fakes import RATE_HZ, ScriptedModel, ScriptedSynthesizer
from TTS.handler import LEAD_MS

BREATH_MS = 400


class Breathing(ScriptedSynthesizer):
    """Takes a breath before each sentence."""

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        speech = list(super().synthesize(text, voice, language, cancel))
        breath = np.zeros(BREATH_MS * RATE_HZ // 1000, np.float32)
        yield AudioChunk(np.concatenate([breath, *(c.samples for c in speech)]), RATE_HZ)


def test_only_an_answer_begins_with_its_first_sound() -> None:
    with Conversation(tts=Breathing(), llm=ScriptedModel("Hello there. And more.")) as talk:
        talk.ask()
        talk.until_done(1)
        played = talk.sink.audio()
    loud = np.flatnonzero(played)
    gaps = np.diff(loud)
    assert loud[0] == LEAD_MS * RATE_HZ // 1000
    assert gaps.max() >= BREATH_MS * RATE_HZ // 1000, "the pause between two sentences stays"
