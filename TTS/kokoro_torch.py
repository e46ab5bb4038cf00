"""Kokoro on torch, for GPUs; a sentence at a time.

hexgrad/kokoro with its own phonemes, for which the weights were trained.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from kokoro import KModel, KPipeline
from loguru import logger as kokoro_logger

from pipeline.engine_info import SynthesizerInfo
from pipeline.errors import EngineError, UserError
from pipeline.messages import AudioChunk, WordTime
from pipeline.turn import CancelToken
from TTS.kokoro_voices import LANGUAGES, usual_voice
from utils.hub import fetch
from utils.installation import pip_install
from utils.pretrained import expect_numbers, expect_weights
from utils.voices import expect_language, unknown_voice, voice_flag

kokoro_logger.disable("kokoro")  # it warns of what we know, on standard error

_PHONEMES = {
    "en": (("en_core_web_sm",), "python -m spacy download en_core_web_sm"),
    "ja": (("pyopenjtalk",), pip_install("'misaki[ja]'")),
    "zh": (("cn2an", "jieba", "pypinyin"), pip_install("'misaki[zh]'")),
}
"""The packages that turn text into phonemes, and the command that installs them; eSpeak NG does so
for all other languages. The English one comes from GitHub and not from PyPI, so no extra can bring
it."""


class KokoroTorchSynthesizer:
    """`model_name` is a name on the hub, or a folder with config.json, a .pth and voices/*.pt.

    A voice that was chosen speaks its own language, whatever the text is in. One call at a time, since
    the phonemizers have state. Stops between two segments (at most 510 phonemes, half a minute).
    """

    def __init__(
        self,
        device: str,
        model_name: str = "hexgrad/Kokoro-82M",
        voice: str | None = None,
        language: str = "en",
        speed: float = 1.0,
    ) -> None:
        folder = fetch(model_name, "--tts_model_name", files=["config.json", "*.pth", "voices/*.pt"])
        weights = sorted(folder.glob("*.pth"))
        files = {file.stem: file for file in sorted(folder.glob("voices/*.pt"))}
        self._files = {name: file for name, file in files.items() if name[0] in LANGUAGES}
        if not weights or not self._files:
            raise UserError(
                f"--tts_model_name {model_name}: expected config.json, a .pth and voices/*.pt in it, "
                f"got {len(weights)} .pth and {len(self._files)} voices"
            )
        ready = {name: LANGUAGES[name[0]] for name in self._files if not _missing(LANGUAGES[name[0]])}
        self.info = SynthesizerInfo(
            name="kokoro-torch",
            model=model_name,
            device=device,
            sample_rate_hz=24000,
            languages=tuple(sorted(set(ready.values()))),
            voices=tuple(ready),
        )
        self._voice, self._language, self._speed = voice, language, speed
        if voice is None:
            expect_language(dict.fromkeys(LANGUAGES[name[0]] for name in self._files), language)
        with voice_flag():
            self._choose(None, None)
        try:
            # its version of Chinese follows from the name on the hub
            self._model = KModel(model_name, str(folder / "config.json"), str(weights[0]))
            report = _loaded(self._model, weights[0])
        except (OSError, KeyError, ValueError, AssertionError, RuntimeError) as error:
            raise UserError(f"--tts_model_name {model_name}: expected Kokoro, got {error}") from error
        expect_weights(report, "--tts_model_name", model_name)
        self._model = self._model.to(device).eval()
        expect_numbers(self._model, "--tts_model_name", model_name)
        self._pipelines: dict[str, KPipeline] = {}

    def expect_voice(self, voice: str) -> None:
        """Accept one of `voices`, if the packages for its language are installed."""
        self._choose(voice, None)

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        """Yield a chunk for each segment; in English with the times of its words."""
        chosen = self._choose(voice, language)
        if cancel.cancelled:
            return
        position = 0
        results = self._pipeline(chosen)(text, voice=str(self._files[chosen]), speed=self._speed)
        for result in results:
            words = []
            for token in result.tokens or ():
                found = text.find(token.text, position)
                if found >= 0 and token.start_ts is not None:
                    words.append(WordTime(found, int(token.start_ts * self.info.sample_rate_hz)))
                    position = found + len(token.text)
            yield AudioChunk(result.audio.numpy(), self.info.sample_rate_hz, tuple(words))
            if cancel.cancelled:
                return

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""

    def _choose(self, voice: str | None, language: str | None) -> str:
        """The voice that was asked for, in this call or at start; otherwise the usual one of the
        language."""
        chosen = voice or self._voice or usual_voice(self._files, language or self._language)
        if chosen not in self._files:
            raise unknown_voice(self.info.voices, chosen)
        if install := _missing(LANGUAGES[chosen[0]]):
            raise EngineError(
                f"{chosen} needs a package that turns its language into phonemes; type: {install}",
                "unknown_voice",
            )
        return chosen

    def _pipeline(self, voice: str) -> Any:
        """The pipeline from letters to audio for the language of a voice; kept."""
        letter = voice[0]
        if letter not in self._pipelines:
            self._pipelines[letter] = KPipeline(letter, repo_id=self._model.repo_id, model=self._model)
        return self._pipelines[letter]


def _missing(language: str) -> str:
    """The command that installs what a language needs; empty if it can be spoken."""
    modules, install = _PHONEMES.get(language, ((), ""))
    return "" if all(importlib.util.find_spec(module) for module in modules) else install


def _loaded(model: KModel, file: Path) -> dict[str, Any]:
    """Load the weights once more, and report the layers without weights, which the package leaves at
    random. Raises `RuntimeError` for another shape.

    The published file has no weights for the instance norms, which stay at one and zero.
    """
    saved = torch.load(file, map_location="cpu", weights_only=True)
    missing = [f"{part}.*" for part, _ in model.named_children() if part not in saved]
    for part, tensors in saved.items():
        module = getattr(model, part)
        plain = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
        norms = {n for n, m in module.named_modules() if isinstance(m, torch.nn.InstanceNorm1d)}
        lacking = module.load_state_dict(plain, strict=False).missing_keys
        missing += [f"{part}.{name}" for name in lacking if name.rpartition(".")[0] not in norms]
    return {"missing_keys": missing, "mismatched_keys": []}
