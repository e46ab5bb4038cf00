"""SpokenForms: a synthesizer that gets written forms in words."""

from collections.abc import Iterator

from pipeline.messages import AudioChunk, Notice
from pipeline.turn import CancelToken
from TTS.base import Synthesizer
from TTS.spoken_form import SpokenForm, forms_of, spoken_form


class SpokenForms:
    """A synthesizer that would misread "$49.95" or "8:00", and so gets them in words, in the language
    that it speaks. The positions of the words that it times are those in the written text.

    The synthesizer was created with `usual_voice` and `usual_language`.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        usual_voice: str | None = None,
        usual_language: str | None = None,
    ) -> None:
        self._synthesizer = synthesizer
        self._usual_voice, self._usual_language = usual_voice, usual_language
        self.info = synthesizer.info
        if language := self._language_of(None, None):
            forms_of(language)  # reads its data now, not in the first answer

    def expect_voice(self, voice: str) -> None:
        """Accept the voices of the synthesizer."""
        self._synthesizer.expect_voice(voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk | Notice]:
        """Speak one sentence."""
        form = spoken_form(text, self._language_of(voice, language))
        if form is None:
            return self._synthesizer.synthesize(text, voice, language, cancel)
        return _placed(form, self._synthesizer.synthesize(form.text, voice, language, cancel))

    def close(self) -> None:
        """Free the synthesizer."""
        self._synthesizer.close()

    def _language_of(self, voice: str | None, language: str | None) -> str | None:
        return self.info.language_of(voice or self._usual_voice, language or self._usual_language)


def _placed(form: SpokenForm, outputs: Iterator[AudioChunk | Notice]) -> Iterator[AudioChunk | Notice]:
    for output in outputs:
        yield form.placed(output) if isinstance(output, AudioChunk) and output.words else output
