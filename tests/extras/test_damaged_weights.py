"""Weights that are missing, mismatched or not numbers refuse to start, in every engine on PyTorch or
MLX, and the error names the layer."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UserError
from testing.damage import DAMAGES, damage

torch = pytest.importorskip("torch", reason="torch is not installed")

from testing.tiny_models import tiny_chat_model  # noqa: E402
from testing.tiny_recognizers import tiny_nemotron, tiny_parakeet  # noqa: E402
from testing.tiny_whisper import tiny_whisper  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of what these packages use

Family = tuple[str, Callable[[Path], Any], str, str, Callable[[Any, Path], Any]]


def _of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


FAMILIES: dict[str, Family] = {
    "whisper": (
        "transformers",
        tiny_whisper,
        "model.safetensors",
        "encoder.layers.0.fc1.weight",
        lambda folder, _: _of("STT.whisper", "WhisperRecognizer")(str(folder), "cpu"),
    ),
    "parakeet": (
        "transformers",
        tiny_parakeet,
        "model.safetensors",
        "encoder.layers.0.feed_forward1.linear1.weight",
        lambda folder, _: _of("STT.parakeet", "ParakeetRecognizer")(str(folder), "cpu"),
    ),
    "nemotron": (
        "transformers",
        tiny_nemotron,
        "model.safetensors",
        "encoder.layers.0.feed_forward1.linear1.weight",
        lambda folder, _: _of("STT.nemotron", "NemotronRecognizer")(str(folder), "cpu"),
    ),
    "transformers": (
        "transformers",
        tiny_chat_model,
        "model.safetensors",
        "layers.1.mlp.up_proj.weight",
        lambda folder, _: _of("LLM.transformers_chat", "TransformersChatModel")(str(folder), "cpu"),
    ),
    "mms": (
        "transformers",
        lambda folder: _of("tests.TTS.test_mms", "tiny_vits")(folder / "mms-tts-eng"),
        "model.safetensors",
        "decoder.conv_pre.weight",
        lambda folder, at: _of("TTS.mms", "MmsSynthesizer")("cpu", str(at / "mms-tts-")),
    ),
    "kokoro-torch": (
        "kokoro",
        lambda folder: _of("tests.extras.tiny_kokoro", "tiny_kokoro")(folder / "kokoro"),
        "kokoro.pth",
        "text_encoder",
        lambda folder, _: _of("TTS.kokoro_torch", "KokoroTorchSynthesizer")(
            "cpu", str(folder), voice="ef_dora"
        ),
    ),
    "paraformer": (
        "funasr",
        lambda folder: Path(
            _of("tests.extras.test_paraformer", "tiny_paraformer")(folder / "paraformer")
        ),
        "model.pt",
        "decoder.embed.0.weight",
        lambda folder, _: _of("STT.paraformer", "load_paraformer")(str(folder), "cpu"),
    ),
    "mlx-lm": (
        "mlx_lm",
        tiny_chat_model,
        "model.safetensors",
        "layers.1.mlp.up_proj.weight",
        lambda folder, _: _of("LLM.mlx_chat", "MLXChatModel")(str(folder)),
    ),
}


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_damaged_layer_is_named(family: str, how: str, tmp_path: Path) -> None:
    package, build, file, layer, load = FAMILIES[family]
    pytest.importorskip(package, reason=f"{package} is not installed")
    folder = build(tmp_path)
    name = damage(folder / file, how, layer)
    with pytest.raises(UserError) as caught:
        load(folder, tmp_path)
    told = str(caught.value)
    assert "_model_name" in told
    assert name.rpartition("decoder.")[2] in told
