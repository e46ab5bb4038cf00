"""Several recognizers that act as one: `--stt openai,moonshine`."""

import functools
from collections.abc import Iterator
from dataclasses import replace

from engines.failover import LanguageFailover
from pipeline.audio import resample
from pipeline.engine_info import RecognizerInfo
from pipeline.messages import Notice, Samples
from pipeline.turn import CancelToken
from STT.base import Recognizer, Transcription


class FailoverRecognizer(LanguageFailover[Recognizer]):
    """If there are no words within `first_output_s`, or an error, the next engine listens."""

    verb = "listens"
    can = "understand"

    @functools.cached_property
    def info(self) -> RecognizerInfo:
        """Info of the first engine, with the languages of all; it does not stream."""
        return replace(
            self.first.info, name=self._names(), languages=self._all_languages(), chunk_samples=0
        )

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words; notices name an engine that took over."""

        def hear(
            engine: Recognizer, language: str | None, cancel: CancelToken
        ) -> Iterator[Transcription | Notice]:
            audio = resample(samples, self.info.sample_rate_hz, engine.info.sample_rate_hz)
            yield engine.transcribe(audio, language, cancel)

        notices: list[Notice] = []
        for result in self.stream_in(language, hear, cancel):
            if not isinstance(result, Notice):
                return replace(result, notices=(*notices, *result.notices))
            notices.append(result)
        return Transcription("")
