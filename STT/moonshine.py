"""Moonshine: small, fast speech recognition; the tiny English weights come inside the package."""

from pathlib import Path

import numpy as np
from moonshine_voice import ModelArch, Transcriber, get_model_for_language, get_model_path
from moonshine_voice.download_file import get_cache_dir

from pipeline.audio import split_at_quiet
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import Unavailable, UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from STT.loops import is_loop
from STT.moonshine_model import MoonshineModel
from utils.threads import cores, engine_threads

EMBEDDED_MODEL = "tiny-en"

MAX_AUDIO_S = 20.0
"""Longer audio is recognized in parts: a whole minute came back as one phrase repeated thirty times."""

MIN_PEAK = 0.1
PEAK = 0.5
"""Speech with a peak below `MIN_PEAK` is amplified to `PEAK`: at 40 dB below the usual level 8.7 % of
the words were wrong, and 3.7 % when amplified (33 utterances)."""

SILENCE_AROUND_MS = 100
"""Silence added before and after the speech; without it a quarter more of the words are wrong (33
utterances)."""

_OPTIONS = {
    "vad_threshold": "0.0",  # our VAD has cut the utterance; a second one would cut it again
    "return_audio_data": "false",  # or the whole utterance comes back as a list of floats
}


class MoonshineRecognizer:
    """`model_name` is a size and a language, as in "tiny-en", "base-ja" or "medium-streaming-en"; all
    but "tiny-en" are downloaded at first use. Or it is a folder with the files of a model, so named.

    A streaming model runs in the package's own library, one call at a time, which cannot be stopped.
    (Its result is in memory that the next call overwrites: two at once returned each other's words.)
    """

    def __init__(self, model_name: str = EMBEDDED_MODEL) -> None:
        size, _, language = Path(model_name).name.rpartition("-")
        architecture = _architecture(size, model_name)
        if model_name == EMBEDDED_MODEL:
            folder = Path(get_model_path(EMBEDDED_MODEL))
        elif Path(model_name).is_dir():
            folder = Path(model_name)
        else:
            folder = _download(model_name, language, architecture)
        whole = architecture in (ModelArch.TINY, ModelArch.BASE)
        slots = cores() // engine_threads("stt") if whole else 1
        self.info = RecognizerInfo(
            name="moonshine",
            model=model_name,
            sample_rate_hz=16000,
            languages=(language,),
            slots=slots,
        )
        try:
            self._model = MoonshineModel(folder) if whole else _Library(folder, architecture)
        except Exception as error:  # onnxruntime's have no common base class
            raise UserError(f"--stt_model_name {model_name}: {error} (looked in {folder})") from error

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words; none for digital silence and for loops. Noise may produce some ("You"), so a voice
        detector must come first."""
        text: list[str] = []
        rate_hz = self.info.sample_rate_hz
        silence = np.zeros(rate_hz * SILENCE_AROUND_MS // 1000, np.float32)
        for part in split_at_quiet(samples, rate_hz, MAX_AUDIO_S):
            if cancel.cancelled:
                break
            if not part.any():
                continue
            audio = np.concatenate((silence, _audible(part), silence))
            words = self._model.words(audio, rate_hz, cancel)
            if not is_loop(words):
                text.append(words)
        return Transcription(" ".join(filter(None, text)), self.info.languages[0])

    def close(self) -> None:
        """Nothing to do: the model is freed with this object."""


class _Library:
    """The package's own library, which streaming models require."""

    def __init__(self, folder: Path, architecture: ModelArch) -> None:
        self._transcriber = Transcriber(folder, architecture, options=_OPTIONS)

    def words(self, samples: Samples, rate_hz: int, cancel: CancelToken) -> str:
        """The words of all the audio."""
        heard = self._transcriber.transcribe_without_streaming(samples.tolist(), rate_hz)
        return " ".join(line.text.strip() for line in heard.lines)


def _audible(samples: Samples) -> Samples:
    """Amplify quiet speech."""
    peak = np.abs(samples).max()
    return samples * (PEAK / peak) if peak < MIN_PEAK else samples


def _architecture(size: str, model_name: str) -> ModelArch:
    try:
        return ModelArch[size.replace("-", "_").upper()]
    except KeyError:
        sizes = ", ".join(architecture.name.lower().replace("_", "-") for architecture in ModelArch)
        raise UserError(
            f"--stt_model_name: expected a size and a language such as tiny-en, got {model_name!r}; "
            f"sizes: {sizes}"
        ) from None


def _download(model_name: str, language: str, architecture: ModelArch) -> Path:
    cache = get_cache_dir()
    try:
        folder, _ = get_model_for_language(language, architecture, cache_root=cache)
    except Exception as error:
        raise Unavailable(
            f"--stt_model_name {model_name}: not in {cache}, and could not be downloaded "
            f"({type(error).__name__}); connect to the network once, or use {EMBEDDED_MODEL}, built in"
        ) from error
    return Path(folder)
