"""Pocket TTS over a small random model in a YAML file, with a voice that is cloned from a recording."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pocket_tts", reason="pip install -e '.[pocket]'")

import pocket_tts
import sentencepiece
import soundfile
import torch
import yaml
from safetensors.torch import save_file

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from testing.contracts import LONG_TEXT, SynthesizerContract, speech_like
from TTS.pocket import PocketSynthesizer


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("voice") / "voice.wav"
    soundfile.write(path, speech_like(16000, 2.0), 16000)
    return str(path)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A YAML file, beside it weights and a tokenizer."""
    folder = tmp_path_factory.mktemp("pocket")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["hello how are you today? this sentence goes on, and on."] * 20),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    smallest = Path(pocket_tts.__file__).parent / "config" / "english_2m_2026-10.yaml"
    settings = yaml.safe_load(smallest.read_text())
    pieces = len(sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model")))
    settings["flow_lm"]["lookup_table"].update(
        tokenizer_path=str(folder / "tokenizer.model"), tokenizer="sentencepiece", n_bins=pieces
    )
    del settings["weights_path"], settings["weights_path_without_voice_cloning"]
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    torch.set_num_threads(1)  # with more they wait for each other where the machine is busy
    torch.manual_seed(0)
    weights = pocket_tts.TTSModel.load_model(config=path).state_dict()
    # made as zeros, so that every recording would give the same voice
    torch.nn.init.normal_(weights["flow_lm.speaker_proj_weight"])
    save_file({k: w.contiguous().clone() for k, w in weights.items()}, folder / "model.safetensors")
    settings["weights_path"] = str(folder / "model.safetensors")
    path.write_text(yaml.safe_dump(settings))
    return str(path)


@pytest.fixture(scope="module")
def synthesizer(model: str, recording: str) -> PocketSynthesizer:
    return PocketSynthesizer(model, voice="alba", clone=recording)  # the recording wins


class TestPocket(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: PocketSynthesizer) -> PocketSynthesizer:
        return synthesizer


def test_it_streams_in_mid_sentence(synthesizer: PocketSynthesizer) -> None:
    """The package decodes at once what has waited, so a short sentence may be one chunk."""
    sentence = "This sentence goes on, and on" + ", and on" * 30
    chunks = list(synthesizer.synthesize(sentence, None, None, CancelToken()))
    assert len(chunks) > 1


def test_cancelled_in_mid_sentence_it_stops(synthesizer: PocketSynthesizer) -> None:
    cancel = CancelToken()
    lengths = []
    for chunk in synthesizer.synthesize(LONG_TEXT, None, None, cancel):
        lengths.append(len(chunk.samples))
        cancel.cancel()
    whole = sum(len(c.samples) for c in synthesizer.synthesize(LONG_TEXT, None, None, CancelToken()))
    assert 0 < sum(lengths) < whole / 2


def test_other_recordings_are_other_voices(
    model: str, recording: str, synthesizer: PocketSynthesizer, tmp_path: Path
) -> None:
    soundfile.write(tmp_path / "other.wav", 0.05 * np.sin(np.arange(48000) / 9), 24000)
    other = PocketSynthesizer(model, clone=str(tmp_path / "other.wav"))
    again = PocketSynthesizer(model, clone=recording)

    def remembered(engine: PocketSynthesizer) -> np.ndarray:
        """What the first layer keeps of the recording; it hardly moves what random weights say."""
        cache = next(s["cache"] for s in engine._states[None].values() if "cache" in s)
        kept: np.ndarray = cache.nan_to_num().numpy()
        return kept

    mine = remembered(synthesizer)
    np.testing.assert_allclose(remembered(again), mine, atol=1e-4)
    assert remembered(other).shape != mine.shape or not np.allclose(remembered(other), mine, atol=1e-2)


def test_importing_it_leaves_the_threads_of_others() -> None:
    code = "from torch import get_num_threads as n; a = n(); import TTS.pocket; print(n() - a)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "0"


def test_the_voices_of_the_catalog_belong_to_kyutais_models(
    model: str, synthesizer: PocketSynthesizer
) -> None:
    assert synthesizer.info.voices == ()
    with pytest.raises(EngineError, match="'alba'"):
        synthesizer.expect_voice("alba")
    with pytest.raises(UserError, match="--tts_clone"):
        PocketSynthesizer(model)


def test_mistakes_are_told_at_start(model: str, tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_text("no audio")
    soundfile.write(tmp_path / "short.wav", np.zeros(100), 16000)
    with pytest.raises(UserError, match=r"--tts_clone .*: expected a recording"):
        PocketSynthesizer(model, clone=str(tmp_path / "no.wav"))
    with pytest.raises(UserError, match="at least one second"):
        PocketSynthesizer(model, clone=str(tmp_path / "short.wav"))
    with pytest.raises(UserError, match=r"--tts_language: expected one of .*, got 'te'"):
        PocketSynthesizer(language="te")
    with pytest.raises(UserError, match="--tts_model_name klingon: expected a model of Pocket TTS"):
        PocketSynthesizer("klingon")
