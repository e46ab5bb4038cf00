"""SpeechT5 with HiFi-GAN (Microsoft): English, the voice of an x-vector, through Transformers."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from transformers import SpeechT5ForTextToSpeech, SpeechT5Tokenizer

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import UserError
from pipeline.messages import AudioChunk
from pipeline.turn import CancelToken
from pipeline.words import parts_to_speak
from TTS.hifi_gan import HIFI_GAN, load_hifi_gan
from utils.hub import fetch
from utils.pretrained import fetch_pretrained
from utils.stopping import stopped_on_cancel
from utils.voices import expect_known, voice_flag

SPEAKERS = ("awb", "bdl", "clb", "jmk", "ksp", "rms", "slt")
"""Speakers of the CMU ARCTIC recordings; clb and slt are women."""

_XVECTORS, _ZIP = "Matthijs/cmu-arctic-xvectors", "spkrec-xvect.zip"

MAX_CHARS = 200
"""Longer text is spoken in parts: the model has places for a few hundred letters."""

FRAMES_A_LETTER = 12
"""Limit of frames of 16 ms for each letter; speech has about 5. More is a part whose end the model has
missed."""

_FILES = ["*.json", "*.model", "*.bin", "*.safetensors"]


class SpeechT5Synthesizer:
    """A voice is one of seven speakers of CMU ARCTIC, or that of `clone`, a .npy file with an x-vector
    of 512 numbers (as speechbrain/spkrec-xvect-voxceleb makes them). Stops between two frames.
    """

    def __init__(
        self,
        device: str,
        model_name: str = "microsoft/speecht5_tts",
        vocoder_name: str = HIFI_GAN,
        speakers_name: str = _XVECTORS,
        voice: str = "slt",
        clone: str | None = None,
    ) -> None:
        model = fetch_pretrained(model_name, "--tts_model_name", "SpeechT5", files=_FILES)
        self._tokenizer = model.load(SpeechT5Tokenizer, normalize=True)
        self._model = model.load_model(SpeechT5ForTextToSpeech, device)
        self._vocoder = load_hifi_gan(vocoder_name, "--tts_vocoder_name", device)
        size = self._model.config.speaker_embedding_dim
        if clone is not None:
            self._speakers = {"clone": _read_clone(clone, size)}
        else:
            self._speakers = _cmu_arctic(speakers_name)
        self.info = SynthesizerInfo(
            name="speecht5",
            model=model_name,
            device=device,
            sample_rate_hz=16000,
            languages=("en",),
            voices=tuple(self._speakers),
        )
        self._voice = "clone" if clone is not None else voice
        with voice_flag():
            self.expect_voice(self._voice)

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`."""
        expect_known(self.info.voices, voice)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield a chunk for each part."""
        voice = voice or self._voice
        self.expect_voice(voice)
        device = self._model.device
        speaker = torch.from_numpy(self._speakers[voice]).unsqueeze(0).to(device)
        frames = self._model.speecht5.decoder.wrapped_decoder
        for part in parts_to_speak(text, MAX_CHARS):
            letters = self._tokenizer(part, return_tensors="pt").input_ids.to(device)
            with stopped_on_cancel(cancel, frames), torch.inference_mode():
                audio = self._model.generate_speech(
                    letters, speaker, vocoder=self._vocoder, maxlenratio=FRAMES_A_LETTER
                )
            if cancel.cancelled:
                return
            yield AudioChunk(audio.float().cpu().numpy(), self.info.sample_rate_hz)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""


def _cmu_arctic(name: str) -> dict[str, np.ndarray]:
    """The x-vector of the first sentence of each speaker."""
    file = fetch(name, "--tts_speakers_name", files=[_ZIP], repo_type="dataset") / _ZIP
    try:
        with zipfile.ZipFile(file) as vectors:
            files = sorted(entry for entry in vectors.namelist() if entry.endswith(".npy"))
            first = {s: next(f for f in files if f"cmu_us_{s}_arctic" in f) for s in SPEAKERS}
            return {s: np.load(io.BytesIO(vectors.read(f))).astype(np.float32) for s, f in first.items()}
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise UserError(
            f"--tts_speakers_name {name}: expected {_ZIP} with the speakers of CMU ARCTIC, got {error!r}"
        ) from error


def _read_clone(path: str, size: int) -> np.ndarray:
    try:
        vector: np.ndarray = np.load(Path(path).expanduser()).astype(np.float32).reshape(-1)
    except (OSError, ValueError) as error:
        raise UserError(
            f"--tts_clone {path}: expected a .npy file of an x-vector, got {error}"
        ) from error
    if len(vector) != size or not np.isfinite(vector).all():
        raise UserError(
            f"--tts_clone {path}: expected {size} numbers, got {len(vector)}, or NaN in them"
        )
    return vector
