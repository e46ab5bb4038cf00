"""WhisperOnMlx: the common part of the two packages that run Whisper on Apple's MLX."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten

from pipeline.audio import clean, split_at_quiet
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import UserError
from pipeline.messages import Notice, Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from STT.spoken_language import SpokenLanguage, as_detected, from_whisper, to_whisper
from utils.mlx import MLX_LOCK, expect_numbers
from utils.pretrained import differences, expect_weights

FLAG = "--stt_model_name"


class WhisperOnMlx(ABC):
    """One call at a time, in turns with everything else that uses MLX. Between two parts of `longest_s`
    it can be stopped and lets others have their turn, but not within one."""

    longest_s = 30.0
    """Length of the audio for which the model was trained."""

    def __init__(
        self,
        name: str,
        model_name: str,
        model: Any,
        whisper_languages: Iterable[str],
        language: str,
        languages: str,
    ) -> None:
        """`whisper_languages`: all of them, in the order in which a model knows them."""
        self._model = model
        known = list(whisper_languages)[: model.num_languages] if model.is_multilingual else ["en"]
        self.info = RecognizerInfo(
            name=name,
            model=model_name,
            device=f"{mx.default_device().type.name}, MLX",
            sample_rate_hz=16000,
            languages=tuple(map(from_whisper, known)),
        )
        self._spoken = SpokenLanguage(language, languages, self.info.languages)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words; no words for silence, by the thresholds of the library."""
        texts: list[str] = []
        notices: tuple[Notice, ...] = ()
        spoken = None
        for part in split_at_quiet(clean(samples), self.info.sample_rate_hz, self.longest_s):
            if cancel.cancelled:
                break
            if not part.any():
                continue
            with MLX_LOCK:
                text, spoken, told = self._understand(part, language)
            texts.append(text)
            notices += told
            language = spoken
        return Transcription(" ".join(filter(None, texts)), spoken, notices)

    def close(self) -> None:
        """Let the weights go."""
        self._model = None

    def _understand(self, part: Samples, asked: str | None) -> tuple[str, str, tuple[Notice, ...]]:
        mx.random.seed(0)  # the same audio, the same words, also where an unlikely text is tried again
        told = self._spoken.told(asked)
        text, code = self._listen(part, told and to_whisper(told))
        if told is not None:
            return text.strip(), told, ()
        settled, notices = self._spoken.settle(from_whisper(code), asked)
        if settled != from_whisper(code):
            text, _ = self._listen(part, to_whisper(settled))
        return text.strip(), as_detected(settled), notices

    @abstractmethod
    def _listen(self, samples: Samples, language: str | None) -> tuple[str, str]:
        """The words and their language; `language` None: it is to be detected."""


def weights_in(folder: Path, model_name: str) -> Path:
    """The file of the weights beside its config.json. Raises `UserError`."""
    for name in ("weights.safetensors", "weights.npz"):
        if (folder / name).exists() and (folder / "config.json").exists():
            return folder / name
    raise UserError(
        f"{FLAG} {model_name}: expected config.json and weights.npz or weights.safetensors in {folder}"
    )


def read_weights(file: Path) -> dict[str, Any]:
    """All tensors of a file by their names."""
    tensors: Any = mx.load(str(file))
    return dict(tensors)


def expect_all_weights(model: Any, weights: dict[str, Any], model_name: str) -> None:
    """Raise `UserError` unless there are weights for everything: MLX leaves the rest at random."""
    wanted = dict(tree_flatten(model.parameters()))
    wanted.pop("alignment_heads", None)  # for the times of words, which are not asked for
    expect_weights(differences(wanted, weights), FLAG, model_name)
    expect_numbers({name: weights[name] for name in wanted}, FLAG, model_name)
