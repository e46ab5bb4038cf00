"""Moonshine: small, fast speech recognition; the tiny English weights come inside the package."""

from pathlib import Path

from moonshine_voice import ModelArch, Transcriber, get_model_for_language, get_model_path
from moonshine_voice.download_file import get_cache_dir

from pipeline.audio import split_at_quiet
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from STT.loops import is_loop

EMBEDDED_MODEL = "tiny-en"

MAX_AUDIO_S = 20.0
"""Longer audio is recognized in parts: a whole minute came back as one phrase repeated thirty times."""

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

    The library returns its result in memory that the next call overwrites, so one call runs at a time
    (two at once returned each other's words). A call cannot be stopped; it takes 0.02 to 0.07 of
    the length of the audio on two cores, and no caller waits for one that was cancelled.

    The library has streams too, but with "tiny-en" each update recognizes the growing audio again, and
    in the end more words are wrong (0.09 instead of 0.04; 33 utterances), so they are not used.
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
        self.info = RecognizerInfo(name="moonshine", sample_rate_hz=16000, languages=(language,))
        try:
            self._transcriber = Transcriber(folder, architecture, options=_OPTIONS)
        except Exception as error:
            raise UserError(f"--stt_model_name {model_name}: {error} (looked in {folder})") from error

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words; no words for digital silence and for a loop. For noise there may be some ("You"):
        it relies on the voice detector before it."""
        text: list[str] = []
        silence = [0.0] * (self.info.sample_rate_hz * SILENCE_AROUND_MS // 1000)
        for part in split_at_quiet(samples, self.info.sample_rate_hz, MAX_AUDIO_S):
            if cancel.cancelled:
                break
            if not part.any():
                continue
            audio = silence + part.tolist() + silence
            heard = self._transcriber.transcribe_without_streaming(audio, self.info.sample_rate_hz)
            text.extend(line.text.strip() for line in heard.lines if not is_loop(line.text))
        return Transcription(" ".join(filter(None, text)), self.info.languages[0])

    def close(self) -> None:
        """Free the model."""
        self._transcriber.close()


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
        raise UserError(
            f"--stt_model_name {model_name}: not in {cache}, and could not be downloaded "
            f"({type(error).__name__}); connect to the network once, or use {EMBEDDED_MODEL}, built in"
        ) from error
    return Path(folder)
