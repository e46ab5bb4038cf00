"""faster-whisper: Whisper on CTranslate2, fast on a CPU, too."""

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.utils import _MODELS

from pipeline.audio import clean
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import UserError
from pipeline.messages import Notice, Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from STT.loops import MAX_COMPRESSION
from STT.spoken_language import USUAL, SpokenLanguage, as_detected, from_whisper, to_whisper
from utils.hub import fetch
from utils.threads import engine_threads

_FILES = ("config.json", "preprocessor_config*", "model.bin", "tokenizer.json", "vocabulary.*")
"""The files that the library's own downloader takes."""

_FLAG = "--stt_model_name"


class FasterWhisperRecognizer:
    """`model_name` is a size ("tiny.en", "large-v3"), a converted model of the hub, or a folder.

    One call at a time; it stops between two segments (a breath or so), not within one.
    """

    def __init__(
        self,
        model_name: str,
        device: str,
        language: str = "en",
        languages: str = USUAL,
        compute_type: str = "auto",
        beam_size: int = 1,
    ) -> None:
        folder = fetch(_MODELS.get(model_name, model_name), _FLAG, files=_FILES)
        if not (folder / "tokenizer.json").exists():  # the library would take one from the network
            raise UserError(f"{_FLAG} {model_name}: expected a file tokenizer.json in {folder}")
        kind, _, index = device.partition(":")
        try:
            self._model = WhisperModel(
                str(folder),
                device=kind,
                device_index=int(index or 0),
                compute_type=compute_type,
                cpu_threads=engine_threads("stt"),
            )
        except (RuntimeError, ValueError) as error:
            raise UserError(f"{_FLAG} {model_name}: cannot be loaded: {error}") from error
        self.info = RecognizerInfo(
            name="faster-whisper",
            model=model_name,
            device=f"{device}, {self._model.model.compute_type}",
            sample_rate_hz=16000,
            languages=tuple(map(from_whisper, self._model.supported_languages)),
        )
        self._spoken = SpokenLanguage(language, languages, self.info.languages)
        self._beam_size = beam_size
        self._model_name, self._device = model_name, device

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words; none for silence, by the thresholds of the library, and none for a loop."""
        samples = clean(samples)
        if cancel.cancelled or not samples.any():
            return Transcription("")
        told, notices = self._spoken.told(language), tuple[Notice, ...]()
        segments, info = self._listen(samples, told)
        code = from_whisper(info.language)
        if told is None:
            settled, notices = self._spoken.settle(code, language)
            if settled != code:
                segments, _ = self._listen(samples, settled)
            code = as_detected(settled)
        texts = []
        for segment in segments:  # each is computed when it is asked for
            if cancel.cancelled:
                break
            if segment.compression_ratio <= MAX_COMPRESSION:  # computed over 30 s
                texts.append(segment.text)
        return Transcription("".join(texts).strip(), code, notices)

    def warm_up(self) -> None:
        """Transcribe noise. Raises `UserError`: a missing CUDA library shows only now."""
        noise = np.random.default_rng(0).normal(0, 0.01, self.info.sample_rate_hz).astype(np.float32)
        try:
            self.transcribe(noise, self.info.languages[0], CancelToken())
        except RuntimeError as error:
            raise UserError(
                f"{_FLAG} {self._model_name}: cannot run on {self._device}: {error}"
            ) from error

    def _listen(self, samples: Samples, language: str | None):  # type: ignore[no-untyped-def]
        return self._model.transcribe(
            samples,
            language=None if language is None else to_whisper(language),
            beam_size=self._beam_size,
            temperature=0.0,  # the library would try again up to five times, at higher ones
            condition_on_previous_text=False,  # else one mistake goes on and on
            vad_filter=False,  # our own has cut the utterance
        )

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""
