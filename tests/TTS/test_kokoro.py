"""Kokoro as an ONNX file, over a toy graph of the right signature."""

import inspect
import shutil
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import numpy as np
import onnx
import pytest

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract
from tests.extras.toy_onnx import toy_synthesizer
from TTS.kokoro import (
    LEAD_S,
    MAX_PHONEMES,
    MIN_PHONEMES,
    RATE_HZ,
    KokoroSynthesizer,
    _find_model,
    calls,
    trim,
)

VOICES = ("af_heart", "am_adam", "bf_emma", "ef_dora", "jf_alpha", "zf_xiaobei")
STYLES: dict[str, Any] = {name: np.zeros((510, 1, 256), np.float32) for name in VOICES}


def toy_kokoro(path: Path, *, tokens: str = "input_ids", speed: int = onnx.TensorProto.FLOAT) -> None:
    """Write a model that plays a tone of 50 ms for each phoneme."""
    toy_synthesizer(
        path,
        tokens=tokens,
        tokens_shape=[1, "n"],
        others={"style": (onnx.TensorProto.FLOAT, [1, 256]), "speed": (speed, [1])},
        samples_a_token=1200,
        output="audio",
        output_shape=[-1],
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the releases of kokoro-onnx fill it."""
    folder = tmp_path_factory.mktemp("kokoro")
    toy_kokoro(folder / "kokoro-v1.0.onnx", tokens="tokens")
    np.savez(folder / "voices-v1.0.npz", **STYLES)
    (folder / "voices-v1.0.npz").rename(folder / "voices-v1.0.bin")
    return folder


@pytest.fixture(scope="module")
def synthesizer(folder: Path) -> KokoroSynthesizer:
    return KokoroSynthesizer(str(folder))


class TestKokoro(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: KokoroSynthesizer) -> KokoroSynthesizer:
        return synthesizer


def pieces_s(
    engine: KokoroSynthesizer, text: str, voice: str | None = None, language: str | None = None
) -> list[float]:
    """The lengths of the pieces of audio."""
    chunks = engine.synthesize(text, voice, language, CancelToken())
    return [len(chunk.samples) / RATE_HZ for chunk in chunks]


def hub_layout(folder: Path) -> Path:
    """A folder as onnx-community/Kokoro-82M-v1.0-ONNX."""
    toy_kokoro(folder / "onnx" / "model_quantized.onnx")
    (folder / "voices").mkdir()
    for name in VOICES:
        STYLES[name].tofile(folder / "voices" / f"{name}.bin")
    return folder


def test_a_model_of_the_hub_is_found_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the default name, and without the network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    model = tmp_path / "models--onnx-community--Kokoro-82M-v1.0-ONNX"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("0" * 40)
    hub_layout(model / "snapshots" / ("0" * 40))
    engine = KokoroSynthesizer()
    assert engine.info.voices == VOICES
    assert pieces_s(engine, "Hello there.")


def test_both_layouts_sound_the_same(synthesizer: KokoroSynthesizer, tmp_path: Path) -> None:
    other = KokoroSynthesizer(str(hub_layout(tmp_path)))
    assert other.info.languages == synthesizer.info.languages == ("en", "es", "ja", "zh")
    for voice in VOICES:
        assert pieces_s(other, "Hello.", voice) == pieces_s(synthesizer, "Hello.", voice)


def test_one_of_several_files_is_chosen(tmp_path: Path) -> None:
    folder = hub_layout(tmp_path)
    toy_kokoro(folder / "onnx" / "model.onnx")
    toy_kokoro(folder / "onnx" / "model_fp16.onnx")
    usual = inspect.signature(KokoroSynthesizer).parameters["onnx"].default
    assert _find_model(folder, "toy", usual).name == "model_quantized.onnx"
    assert _find_model(folder, "toy", "*fp16*").name == "model_fp16.onnx"
    with pytest.raises(UserError, match=r"--tts_onnx: expected .*onnx/model.onnx, .*got \*\.onnx"):
        KokoroSynthesizer(str(folder), "*.onnx")


def test_a_language_has_its_voice_and_a_voice_its_language(synthesizer: KokoroSynthesizer) -> None:
    text = "Hola, 1, 2, 3."
    spanish = pieces_s(synthesizer, text, "ef_dora")
    assert pieces_s(synthesizer, text, language="es") == spanish
    assert pieces_s(synthesizer, text, "ef_dora", "en") == spanish
    assert pieces_s(synthesizer, text, "af_heart", "es") != spanish


def test_the_style_is_that_of_the_length(tmp_path: Path) -> None:
    """As in training: the first of a voice is for one phoneme. This graph plays the style."""
    styles = np.repeat(np.linspace(0, 1, 510, dtype=np.float32), 256).reshape(510, 1, 256)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["style"], ["audio"])],
        "echo",
        [
            onnx.helper.make_tensor_value_info("input_ids", onnx.TensorProto.INT64, [1, "n"]),
            onnx.helper.make_tensor_value_info("style", onnx.TensorProto.FLOAT, [1, 256]),
            onnx.helper.make_tensor_value_info("speed", onnx.TensorProto.FLOAT, [1]),
        ],
        [onnx.helper.make_tensor_value_info("audio", onnx.TensorProto.FLOAT, [1, 256])],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "echo.onnx")
    np.savez(tmp_path / "voices.npz", af_heart=styles)
    (chunk,) = KokoroSynthesizer(str(tmp_path)).synthesize("Hello.", None, None, CancelToken())
    assert chunk.samples[0] == pytest.approx(styles[len("həlˈO.") - 1, 0, 0])


def test_the_first_piece_is_short_and_none_is_too_long(synthesizer: KokoroSynthesizer) -> None:
    sentence = "Well, on the one hand it is late, on the other hand nobody sleeps, so we go on."
    first, *others = pieces_s(synthesizer, sentence)
    assert others
    assert first < sum(others)
    assert max(pieces_s(synthesizer, LONG_TEXT)) <= (MAX_PHONEMES + 2) * 0.05
    assert max(pieces_s(synthesizer, "9" * 3000)) <= (MAX_PHONEMES + 2) * 0.05


def test_ten_thousand_characters(synthesizer: KokoroSynthesizer) -> None:
    assert sum(pieces_s(synthesizer, "word " * 2000)) > 100


def test_calls_grow() -> None:
    lengths = [len(call) for call in calls(["a" * 29 + ","] * 20)]
    assert lengths[0] == 30
    assert all(after <= 2 * before + MIN_PHONEMES for before, after in pairwise(lengths))
    assert sum(lengths) + len(lengths) - 1 == 20 * 31 - 1, "nothing is lost"


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ([], []),
        (["no."], ["no."]),
        (["well,", "b" * 40 + "."], ["well, " + "b" * 40 + "."]),
        (["b" * 40 + ",", "no?"], ["b" * 40 + ", no?"]),
        (["c" * 600], ["c" * MAX_PHONEMES, "c" * 90]),
        ([f"{'d' * 200} {'e' * 200} {'f' * 200}"], [f"{'d' * 200} {'e' * 200}", "f" * 200]),
    ],
)
def test_calls(clauses: list[str], expected: list[str]) -> None:
    assert calls(clauses) == expected


def test_silence_around_speech_is_cut() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    speech = np.full(RATE_HZ, 0.5, np.float32)
    noise = np.full(RATE_HZ, 0.001, np.float32)
    trimmed = trim(np.concatenate((silence, speech, noise)), 0.3)
    assert len(trimmed) / RATE_HZ == pytest.approx(LEAD_S + 1 + 0.3, abs=0.01)
    assert len(trim(silence, 0.3)) == 0
    assert len(trim(silence[:0], 0.3)) == 0


def test_kanji_are_refused_rather_than_spelled(synthesizer: KokoroSynthesizer) -> None:
    assert pieces_s(synthesizer, "こんにちは。", "jf_alpha")
    with pytest.raises(EngineError, match="expected Japanese in kana, got kanji"):
        pieces_s(synthesizer, "東京です。", "jf_alpha")


def test_mistakes_are_told_at_start(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--tts_voice: .*'nobody'"):
        KokoroSynthesizer(str(folder), voice="nobody")
    with pytest.raises(UserError, match=r"--tts_language: expected one of en, es, ja, zh, got 'te'"):
        KokoroSynthesizer(str(folder), language="te")
    with pytest.raises(UserError, match=r"expected an \.onnx file in it, got none"):
        KokoroSynthesizer(str(tmp_path))
    model = tmp_path / "kokoro.onnx"
    model.write_text("nothing")
    with pytest.raises(UserError, match=r"expected voices in it .*got none"):
        KokoroSynthesizer(str(tmp_path))
    shutil.copy(folder / "voices-v1.0.bin", tmp_path)
    with pytest.raises(UserError, match="expected Kokoro, got "):
        KokoroSynthesizer(str(tmp_path))
    toy_kokoro(model, tokens="letters")
    with pytest.raises(UserError, match=r"expected Kokoro, with the inputs .*got letters, style, speed"):
        KokoroSynthesizer(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"PK", b"\0" * 1000])
def test_voices_that_are_cut_off_are_told_at_start(tmp_path: Path, content: bytes) -> None:
    folder = hub_layout(tmp_path)
    (folder / "voices" / "af_heart.bin").write_bytes(content)
    with pytest.raises(UserError, match=r"af_heart\.bin is not a voice of Kokoro"):
        KokoroSynthesizer(str(folder))
    with zipfile.ZipFile(folder / "voices" / "af_heart.bin", "w") as archive:
        archive.writestr("af_heart.npy", content)
    with pytest.raises(UserError, match=r"af_heart\.bin is not a voice of Kokoro"):
        KokoroSynthesizer(str(folder))


def test_a_model_of_whole_speeds_takes_no_others(folder: Path, tmp_path: Path) -> None:
    toy_kokoro(tmp_path / "kokoro.onnx", speed=onnx.TensorProto.INT32)
    shutil.copy(folder / "voices-v1.0.bin", tmp_path)
    assert pieces_s(KokoroSynthesizer(str(tmp_path)), "Hello.")
    with pytest.raises(UserError, match=r"--tts_speed: expected 1 or 2, .*got 1\.2"):
        KokoroSynthesizer(str(tmp_path), speed=1.2)
