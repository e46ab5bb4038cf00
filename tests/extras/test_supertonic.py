"""Supertonic over four toy graphs of the right signature."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("supertonic", reason="pip install -e '.[supertonic]'")
pytest.importorskip("onnx", reason="pip install onnx")

from onnx import TensorProto, helper, numpy_helper, save

from pipeline.errors import UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract
from TTS.supertonic import SupertonicSynthesizer

_FRAME = 32 * 6  # samples for a frame of latents, and the numbers in it


def graph(
    path: Path, nodes: list[Any], inputs: dict[str, list[Any]], output: str, **constants: object
) -> None:
    """`inputs`: name ▶ shape; what is called text_ids is int64, all else float32."""
    kinds = {name: TensorProto.INT64 if name == "text_ids" else TensorProto.FLOAT for name in inputs}
    made = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(name, kinds[name], shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 ms for each letter; the noise that the diffusion starts from is what is heard."""
    folder = tmp_path_factory.mktemp("models") / "supertonic-3"
    text = {"text_ids": [1, "n"], "text_mask": [1, 1, "n"]}
    graph(
        folder / "onnx/duration_predictor.onnx",
        [
            helper.make_node("ReduceSum", ["text_mask", "axes"], ["letters"], keepdims=0),
            helper.make_node("Mul", ["letters", "seconds"], ["duration"]),
        ],
        text | {"style_dp": [1, 8, 16]},
        "duration",
        axes=np.array([1, 2]),
        seconds=np.float32(0.06),
    )
    graph(
        folder / "onnx/text_encoder.onnx",
        [helper.make_node("Cast", ["text_ids"], ["text_emb"], to=TensorProto.FLOAT)],
        text | {"style_ttl": [1, 50, 256]},
        "text_emb",
    )
    graph(
        folder / "onnx/vector_estimator.onnx",
        [helper.make_node("Identity", ["noisy_latent"], ["denoised"])],
        {
            "noisy_latent": [1, _FRAME, "l"],
            "text_emb": [1, "n"],
            "style_ttl": [1, 50, 256],
            "text_mask": [1, 1, "n"],
            "latent_mask": [1, 1, "l"],
            "current_step": [1],
            "total_step": [1],
        },
        "denoised",
    )
    graph(
        folder / "onnx/vocoder.onnx",
        [
            helper.make_node("Mul", ["latent", "level"], ["quiet"]),
            helper.make_node("Reshape", ["quiet", "shape"], ["wav"]),
        ],
        {"latent": [1, _FRAME, "l"]},
        "wav",
        level=np.float32(0.1),
        shape=np.array([1, -1]),
    )
    about = {
        "ae": {"sample_rate": 16000, "base_chunk_size": 32},
        "ttl": {"chunk_compress_factor": 6, "latent_dim": 32},
    }
    (folder / "onnx/tts.json").write_text(json.dumps(about))
    letters = [
        number if 32 <= number < 591 or 0x300 <= number < 0x370 else -1 for number in range(2**16)
    ]
    (folder / "onnx/unicode_indexer.json").write_text(json.dumps(letters))
    (folder / "voice_styles").mkdir()
    for voice in ("F1", "F2", "M1"):
        style = {
            name: {"dims": dims, "data": np.zeros(dims).tolist()}
            for name, dims in (("style_ttl", [1, 50, 256]), ("style_dp", [1, 8, 16]))
        }
        (folder / "voice_styles" / f"{voice}.json").write_text(json.dumps(style))
    return folder


class TestSupertonic(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: Path) -> SupertonicSynthesizer:
        return SupertonicSynthesizer(str(folder))


def samples(engine: SupertonicSynthesizer, text: str, language: str | None = None) -> int:
    return sum(len(c.samples) for c in engine.synthesize(text, None, language, CancelToken()))


def test_it_has_31_languages_and_the_voices_of_the_folder(folder: Path) -> None:
    engine = SupertonicSynthesizer(str(folder))
    assert len(engine.info.languages) == 31
    assert engine.info.voices == ("F1", "F2", "M1")
    assert samples(engine, "Bonjour", "fr")


def test_letters_that_it_does_not_know_are_left_out(folder: Path) -> None:
    engine = SupertonicSynthesizer(str(folder))
    assert samples(engine, "నమస్కారం") == 0
    assert samples(engine, "Hello నమస్కారం") == samples(engine, "Hello")


def test_long_text_comes_in_parts(folder: Path) -> None:
    engine = SupertonicSynthesizer(str(folder))
    assert len(list(engine.synthesize(LONG_TEXT, None, None, CancelToken()))) > 3


def test_mistakes_are_told_at_start(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--tts_voice: .*'nobody'"):
        SupertonicSynthesizer(str(folder), voice="nobody")
    with pytest.raises(UserError, match=r"--tts_language: .*'te'"):
        SupertonicSynthesizer(str(folder), language="te")
    with pytest.raises(UserError, match="expected Supertonic, got"):
        SupertonicSynthesizer(str(tmp_path))
