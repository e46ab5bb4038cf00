"""Paraformer: a recognizer for Chinese, through FunASR; with a streaming model, while you speak."""

import contextlib
import copy
import re
import sys
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from funasr import AutoModel
from omegaconf import OmegaConf

from pipeline.audio import clean
from pipeline.engine_info import RecognizerInfo
from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.base import Transcription
from utils.hub import fetch
from utils.pretrained import differences, expect_numbers, expect_weights
from utils.threads import cores

_FLAG = "--stt_model_name"

SHORTEST = 1600
"""Samples, 0.1 s; shorter audio gives no frame, and is padded with silence."""

_STREAMED = {"chunk_size": [0, 10, 5], "encoder_chunk_look_back": 4, "decoder_chunk_look_back": 1}
"""Settings of a chunk, in frames of 60 ms: ten at a time, of which five are heard ahead (FunASR's own
example)."""

_BETWEEN_CHINESE = re.compile(r"(?<=[\u3400-\u9fff]) +(?=[\u3400-\u9fff])")


def load_paraformer(model_name: str, device: str) -> "ParaformerRecognizer":
    """`model_name` is a folder, or a name on the hub; one that ends in "-en" understands English."""
    folder = fetch(model_name, _FLAG)
    config = folder / "config.yaml"
    kind = str(OmegaConf.load(config).get("model")) if config.exists() else "no config.yaml"
    if "Paraformer" not in kind:
        raise UserError(f"{_FLAG} {model_name}: expected a Paraformer of FunASR, got {kind}")
    streams = kind == "ParaformerStreaming"
    return (StreamingParaformer if streams else ParaformerRecognizer)(folder, model_name, device)


class ParaformerRecognizer:
    """A Paraformer that recognizes whole utterances. It keeps the settings of a call in the model, so
    one call runs at a time; it cannot be stopped."""

    chunk_samples: ClassVar[int] = 0

    def __init__(self, folder: Path, model_name: str, device: str) -> None:
        self.info = RecognizerInfo(
            name="paraformer",
            model=model_name,
            device=device,
            sample_rate_hz=16000,
            languages=("en",) if Path(model_name).name.endswith("-en") else ("zh",),
            chunk_samples=self.chunk_samples,
        )
        try:
            with contextlib.redirect_stdout(sys.stderr):  # standard output may be for a machine
                self._model = AutoModel(
                    model=str(folder),
                    device=device,
                    ncpu=cores(),  # by default it sets four, for the whole process
                    disable_update=True,
                    disable_pbar=True,
                    disable_log=True,
                )
                saved = torch.load(folder / "model.pt", map_location="cpu", mmap=True)
        except Exception as error:  # FunASR raises anything: AssertionError for a missing file
            raise UserError(
                f"{_FLAG} {model_name}: FunASR cannot load it ({type(error).__name__}: {error})"
            ) from error
        weights = self._model.model.state_dict()
        expect_weights(differences(weights, _tensors(saved)), _FLAG, model_name)
        expect_numbers(self._model.model, _FLAG, model_name)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words, without punctuation."""
        if cancel.cancelled:
            return Transcription("", self.info.languages[0])
        audio = np.pad(clean(samples), (0, max(0, SHORTEST - len(samples))))
        return Transcription(_joined([self._generate(audio)]), self.info.languages[0])

    def _generate(self, audio: Samples, **settings: Any) -> str:
        results = self._model.generate(input=audio, **settings)
        return " ".join(result.get("text", "") for result in results)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""


class StreamingParaformer(ParaformerRecognizer):
    """Paraformer with a streaming model: 600 ms at a time, between which it can be stopped."""

    chunk_samples = 9600

    def open(self, language: str | None) -> "ParaformerStream":
        """Open a stream for a new utterance."""
        return ParaformerStream(self)

    def transcribe(self, samples: Samples, language: str | None, cancel: CancelToken) -> Transcription:
        """The words, without punctuation."""
        stream = self.open(language)
        stream.feed(samples, cancel)
        return stream.finish(cancel)

    def compute(self, audio: Samples, cache: dict[str, Any], *, last: bool) -> str:
        """The new words; the state on which they depend is kept in `cache`."""
        return self._generate(audio, cache=cache, is_final=last, **_STREAMED)


class ParaformerStream:
    """One utterance: the audio that does not fill a chunk yet, FunASR's cache, and the words so far."""

    def __init__(self, engine: StreamingParaformer) -> None:
        self._engine = engine
        self._audio: Samples = np.empty(0, np.float32)
        self._cache: dict[str, Any] = {}
        self._pieces: list[str] = []

    def feed(self, samples: Samples, cancel: CancelToken) -> str:
        """All words so far."""
        self._audio = np.concatenate((self._audio, clean(samples)))
        chunk = self._engine.chunk_samples
        while len(self._audio) >= chunk and not cancel.cancelled:
            self._pieces.append(self._engine.compute(self._audio[:chunk], self._cache, last=False))
            self._audio = self._audio[chunk:]
        return _joined(self._pieces)

    def finish(self, cancel: CancelToken) -> Transcription:
        """Recognize the audio since the last chunk, and the audio that was held back for it."""
        if (self._cache or len(self._audio)) and not cancel.cancelled:
            rest = np.pad(self._audio, (0, max(0, SHORTEST - len(self._audio))))
            self._pieces.append(self._engine.compute(rest, self._cache, last=True))
        return Transcription(_joined(self._pieces), self._engine.info.languages[0])

    def fork(self) -> "ParaformerStream":
        """A copy that has heard the same."""
        other = copy.copy(self)
        other._cache, other._pieces = copy.deepcopy(self._cache), list(self._pieces)
        return other


def _joined(pieces: list[str]) -> str:
    """Joined pieces of text; Chinese is written without spaces."""
    return _BETWEEN_CHINESE.sub("", " ".join(" ".join(pieces).split()))


def _tensors(saved: dict[str, Any]) -> dict[str, Any]:
    """The weights in a file by their names in the model. FunASR only prints the missing ones."""
    for nest in ("state_dict", "model_state_dict", "model"):
        saved = saved.get(nest, saved)
    return {name.removeprefix("module."): tensor for name, tensor in saved.items()}
