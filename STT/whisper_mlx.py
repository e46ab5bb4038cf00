"""lightning-whisper-mlx: Whisper on Apple's MLX, the parts of a long recording side by side."""

import json
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn
from lightning_whisper_mlx.lightning import models
from lightning_whisper_mlx.tokenizer import LANGUAGES
from lightning_whisper_mlx.transcribe import ModelHolder, transcribe_audio
from lightning_whisper_mlx.whisper import ModelDimensions, Whisper
from mlx.utils import tree_unflatten

from pipeline.errors import UserError
from pipeline.messages import Samples
from STT.spoken_language import USUAL
from STT.whisper_on_mlx import FLAG, WhisperOnMlx, expect_all_weights, read_weights, weights_in
from utils.hub import fetch
from utils.mlx import MLX_LOCK


class WhisperMlxRecognizer(WhisperOnMlx):
    """`model_name` is one of the package's list ("distil-large-v3", "small") or a folder; the list has
    `quantization` "4bit" and "8bit" of most."""

    def __init__(
        self,
        model_name: str,
        language: str = "en",
        languages: str = USUAL,
        batch_size: int = 6,
        quantization: str = "none",
    ) -> None:
        folder = _find(model_name, quantization)
        with MLX_LOCK:
            try:
                model = _load(folder, model_name)
            except (RuntimeError, TypeError, ValueError) as error:
                raise UserError(f"{FLAG} {model_name}: cannot be loaded: {error}") from error
        self._folder = str(folder)
        self._batch_size = batch_size
        self.longest_s = 30.0 * batch_size
        super().__init__("whisper-mlx", model_name, model, LANGUAGES, language, languages)

    def _listen(self, samples: Samples, language: str | None) -> tuple[str, str]:
        ModelHolder.model, ModelHolder.model_path = self._model, self._folder
        heard = transcribe_audio(
            samples,
            path_or_hf_repo=self._folder,
            language=language,
            batch_size=self._batch_size,
            condition_on_previous_text=False,
        )
        return heard["text"], heard["language"]


def _find(model_name: str, quantization: str) -> Path:
    """The folder of a model of the package's list. Its own downloader writes into the working
    directory."""
    if model_name not in models:
        if Path(model_name).expanduser().is_dir():
            return Path(model_name).expanduser()
        raise UserError(f"{FLAG}: expected a folder or one of {', '.join(models)}, got {model_name!r}")
    if model_name.startswith("distil"):  # one repository has them all, and each in all precisions
        suffix = "" if quantization == "none" else f"-{quantization.removesuffix('bit')}-bit"
        within = f"mlx_models/{model_name}{suffix}"
        return fetch(models[model_name]["base"], FLAG, files=[f"{within}/*"]) / within
    wanted = "base" if quantization == "none" else quantization
    return fetch(models[model_name][wanted], FLAG, files=("config.json", "weights.npz"))


def _load(folder: Path, model_name: str) -> Any:
    """Load a model as the package does, except that the package calls a function for quantized models
    that MLX no longer has, and cannot use 32-bit weights."""
    file = weights_in(folder, model_name)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config.pop("model_type", None)
    quantization = config.pop("quantization", None)
    weights = {
        name: tensor.astype(mx.float16) if mx.issubdtype(tensor.dtype, mx.floating) else tensor
        for name, tensor in read_weights(file).items()
    }
    model = Whisper(ModelDimensions(**config), mx.float16)
    if quantization is not None:
        mlx.nn.quantize(
            model, **quantization, class_predicate=lambda name, _: f"{name}.scales" in weights
        )
    expect_all_weights(model, weights, model_name)
    model.update(tree_unflatten(list(weights.items())))
    mx.eval(model.parameters())
    return model
