"""mlx-whisper: Whisper on Apple's MLX."""

import mlx.core as mx
import mlx_whisper
from mlx_whisper.load_models import load_model
from mlx_whisper.tokenizer import LANGUAGES
from mlx_whisper.transcribe import ModelHolder

from pipeline.errors import UserError
from pipeline.messages import Samples
from STT.spoken_language import USUAL
from STT.whisper_on_mlx import FLAG, WhisperOnMlx, expect_all_weights, read_weights, weights_in
from utils.hub import fetch
from utils.mlx import MLX_LOCK


class MlxWhisperRecognizer(WhisperOnMlx):
    """`model_name` is a model in MLX's layout, such as those of mlx-community, or a folder with one."""

    def __init__(self, model_name: str, language: str = "en", languages: str = USUAL) -> None:
        folder = fetch(model_name, FLAG, files=("config.json", "weights.safetensors", "weights.npz"))
        file = weights_in(folder, model_name)
        self._folder = str(folder)
        with MLX_LOCK:
            try:
                model = load_model(self._folder, dtype=mx.float16)
                expect_all_weights(model, read_weights(file), model_name)
            except (RuntimeError, TypeError, ValueError) as error:
                raise UserError(f"{FLAG} {model_name}: cannot be loaded: {error}") from error
        super().__init__("mlx-whisper", model_name, model, LANGUAGES, language, languages)

    def _listen(self, samples: Samples, language: str | None) -> tuple[str, str]:
        ModelHolder.model, ModelHolder.model_path = self._model, self._folder
        heard = mlx_whisper.transcribe(
            samples,
            path_or_hf_repo=self._folder,
            language=language,
            temperature=0.0,  # the library would try again up to five times, at higher ones
            condition_on_previous_text=False,
        )
        return heard["text"], heard["language"]
