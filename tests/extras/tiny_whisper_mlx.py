"""A tiny Whisper with random weights in MLX's layout, for both packages that read it."""

import json
from pathlib import Path
from typing import Any

WORDS = range(1000, 1008)
"""Some tokens."""


def tiny_whisper_mlx(
    folder: Path,
    package: str,
    *,
    multilingual: bool = True,
    hears: str = "",
    bits: int = 0,
    without: str = "",
) -> Path:
    """It says a few words whatever it hears: a random one would go on and on. `package`: whose model it
    is; `hears`: the language that it detects in everything; `bits`: quantized to so many; `without`:
    weights that are left out."""
    import importlib

    import mlx.core as mx
    import mlx.nn
    from mlx.utils import tree_flatten

    whisper = importlib.import_module(f"{package}.whisper")
    languages = importlib.import_module(f"{package}.tokenizer").LANGUAGES
    settings: dict[str, Any] = {
        **{"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 64, "n_audio_head": 2},
        **{"n_audio_layer": 1, "n_vocab": 51865 if multilingual else 51864, "n_text_ctx": 448},
        **{"n_text_state": 64, "n_text_head": 2, "n_text_layer": 1},
    }
    mx.random.seed(0)
    model = whisper.Whisper(whisper.ModelDimensions(**settings), mx.float16)
    embedding = model.decoder.token_embedding.weight
    norms = mx.linalg.norm(embedding.astype(mx.float32), axis=1)

    def says(position: int, token: int) -> None:
        """What is said depends on little else than the position."""
        model.decoder.positional_embedding[position] = 30 * embedding[token] / norms[token]

    end = 50257 if multilingual else 50256
    for position in range(settings["n_text_ctx"]):
        says(position, WORDS[position] if position < len(WORDS) else end)
    if hears:
        says(0, end + 2 + list(languages).index(hears))
    if bits:
        settings["quantization"] = {"group_size": 64, "bits": bits}
        mlx.nn.quantize(
            model, 64, bits, class_predicate=lambda _, module: isinstance(module, mlx.nn.Linear)
        )
    weights = dict(tree_flatten(model.parameters()))
    weights = {
        name: tensor.astype(mx.float16) if mx.issubdtype(tensor.dtype, mx.floating) else tensor
        for name, tensor in weights.items()
        if not (without and without in name)
    }
    folder.mkdir(exist_ok=True, parents=True)
    mx.savez(str(folder / "weights.npz"), **weights)
    (folder / "config.json").write_text(json.dumps(settings))
    return folder
