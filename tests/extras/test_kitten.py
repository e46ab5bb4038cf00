"""KittenTTS over a toy graph of the right signature."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("kittentts", reason="pip install -e '.[kitten]'")
pytest.importorskip("onnx", reason="pip install onnx")

import onnx

from pipeline.errors import UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract
from tests.extras.toy_onnx import toy_synthesizer
from TTS.kitten import KittenSynthesizer


def save_voices(folder: Path, *names: str) -> None:
    styles: dict[str, Any] = {name: np.zeros((1, 256), np.float32) for name in names}
    np.savez(folder / "voices.npz", **styles)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kitten")
    toy_synthesizer(
        folder / "kitten.onnx",
        tokens="input_ids",
        tokens_shape=[1, "n"],
        others={"style": (onnx.TensorProto.FLOAT, [1, 256]), "speed": (onnx.TensorProto.FLOAT, [1])},
        samples_a_token=1200,
        output="waveform",
        output_shape=[-1],
    )
    save_voices(folder, *(f"expr-voice-{n}-{sex}" for n in (2, 3) for sex in "mf"))
    return folder


class TestKitten(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, folder: Path) -> KittenSynthesizer:
        return KittenSynthesizer(str(folder))


def test_voices_are_those_of_the_folder(folder: Path) -> None:
    assert KittenSynthesizer(str(folder)).info.voices == (
        "expr-voice-2-f", "expr-voice-2-m", "expr-voice-3-f", "expr-voice-3-m"
    )  # fmt: skip


def test_long_text_comes_in_parts(folder: Path) -> None:
    engine = KittenSynthesizer(str(folder))
    assert len(list(engine.synthesize(LONG_TEXT, None, None, CancelToken()))) > 5


def test_mistakes_are_told_at_start(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--tts_voice: .*'nobody'"):
        KittenSynthesizer(str(folder), voice="nobody")
    with pytest.raises(UserError, match=r"expected an \.onnx file and voices\.npz"):
        KittenSynthesizer(str(tmp_path))
    (tmp_path / "broken.onnx").write_text("nothing")
    save_voices(tmp_path, "expr-voice-2-f")
    with pytest.raises(UserError, match="expected KittenTTS, got"):
        KittenSynthesizer(str(tmp_path))
