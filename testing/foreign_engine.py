"""An engine whose library brings packages with the names of our folders: `TTS`, and `testing`, the
folder of this file. It needs an environment that has both (coqui-tts has the first)."""

import inspect
import sys

from TTS.api import TTS

import testing
from pipeline.audio import clean
from pipeline.engine_info import SynthesizerInfo
from utils.hub import fetch
from utils.voices import unknown_voice

OURS = (clean, fetch, unknown_voice)


class ForeignSynthesizer:
    """Synthesizes nothing; reports which packages it found."""

    def __init__(self) -> None:
        self.info = SynthesizerInfo(
            name="foreign-tts",
            device=f"{inspect.getfile(TTS)} {testing.__file__} {inspect.getfile(unknown_voice)}",
            sample_rate_hz=16000,
            languages=("any",),
            voices=tuple(name for name in ("soxr", "langcodes", "transformers") if name in sys.modules),
        )

    def close(self) -> None:
        """Nothing to free."""
