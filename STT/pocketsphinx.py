"""PocketSphinx: classic speech recognition, with an English model inside the package."""

import numpy as np
import pocketsphinx

from pipeline.audio import clean
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription

_DITHER_RMS = 3.0
"""Noise in units of int16. On digital silence the recognizer collapses (words wrong: 0.72 instead of
0.28)."""


class PocketsphinxRecognizer:
    """A recognizer for machines without a wheel of Moonshine. It understands about three words in four;
    with a `grammar` (a JSGF file) nearly every one. A call that has begun cannot be stopped; it takes
    0.1 to 0.3 of the length of the audio."""

    info = RecognizerInfo(name="pocketsphinx", sample_rate_hz=16000, languages=("en",))

    def __init__(self, grammar: str | None = None) -> None:
        settings = {} if grammar is None else {"lm": None, "jsgf": grammar}
        if grammar is not None:
            _check_grammar(grammar)
        self._decoder = pocketsphinx.Decoder(
            samprate=self.info.sample_rate_hz, loglevel="FATAL", **settings
        )

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words, in lower case and without punctuation."""
        dither = np.random.default_rng(0).normal(0, _DITHER_RMS, len(samples))
        audio = np.clip(clean(samples) * 32767 + dither, -32768, 32767).astype(np.int16)
        if len(audio) == 0 or cancel.cancelled:
            return Transcription("", "en")
        self._decoder.start_utt()
        self._decoder.process_raw(audio.tobytes(), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return Transcription(hypothesis.hypstr if hypothesis else "", "en")

    def close(self) -> None:
        """Nothing to do: the model is freed with this object."""


def _check_grammar(grammar: str) -> None:
    """Check a grammar file, since the library ends the process if the file is missing."""
    try:
        with open(grammar, "rb"):
            pocketsphinx.Jsgf(grammar)
    except (OSError, ValueError) as error:
        raise UserError(f"--stt_grammar {grammar}: expected a JSGF grammar file ({error})") from error
