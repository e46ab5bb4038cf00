"""Qwen3-TTS with tiny random weights. Runs in its environment only: see pytest.ini beside this file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("qwen_tts", reason="runs in the environment `qwen`")

from pipeline.errors import UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract, chunks_of
from tests.isolated.tiny_qwen import tiny_qwen
from TTS.qwen import QwenSynthesizer


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_qwen(tmp_path_factory.mktemp("hub") / "qwen")


class TestQwen(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, model: Path) -> Iterator[QwenSynthesizer]:
        engine = QwenSynthesizer(str(model), "cpu")
        yield engine
        engine.close()


def test_languages_and_voices_are_those_of_the_model(model: Path) -> None:
    engine = QwenSynthesizer(str(model), "cpu", language="zh")
    assert engine.info.languages == ("en", "zh")
    assert engine.info.voices == ("ryan", "vivian")
    assert engine._usual("zh") == "vivian"
    assert engine._usual("en") == "ryan"
    assert chunks_of(engine.synthesize("你好。", None, "zh", CancelToken()))


def test_a_call_that_is_cancelled_stops_at_the_next_step(model: Path) -> None:
    engine, cancel, steps = QwenSynthesizer(str(model), "cpu"), CancelToken(), []

    def after_a_step(*_: object) -> None:
        steps.append(1)
        if len(steps) == 3:
            cancel.cancel()

    engine._qwen.model.talker.register_forward_hook(after_a_step)
    assert list(engine.synthesize(LONG_TEXT, None, None, cancel)) == []
    assert len(steps) == 3


def test_a_style_is_for_the_large_models(model: Path, tmp_path: Path) -> None:
    large = tiny_qwen(tmp_path / "large", size="1b7")
    engine = QwenSynthesizer(str(large), "cpu", style="softly")
    assert chunks_of(engine.synthesize("Hello.", None, None, CancelToken()))
    with pytest.raises(UserError, match=r"--tts_style: .* takes no style"):
        QwenSynthesizer(str(model), "cpu", style="softly")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"voice": "nobody"}, "--tts_voice: expected .*ryan.*'nobody'"),
        ({"language": "te"}, "--tts_language: expected one of en, zh, got 'te'"),
    ],
)
def test_mistakes_are_told_at_start(model: Path, settings: dict[str, str], named: str) -> None:
    with pytest.raises(UserError, match=named):
        QwenSynthesizer(str(model), "cpu", **settings)


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    folder = tiny_qwen(tmp_path / "qwen", without="talker.codec_head")
    with pytest.raises(UserError, match="have no weights"):
        QwenSynthesizer(str(folder), "cpu")


def test_a_model_that_is_not_there_is_told() -> None:
    with pytest.raises(UserError, match="--tts_model_name nobody/qwen"):
        QwenSynthesizer("nobody/qwen", "cpu")
