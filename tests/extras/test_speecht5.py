"""SpeechT5 over tiny random models; torch, Transformers and sentencepiece are needed."""

import io
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install -e '.[speecht5]'")
pytest.importorskip("sentencepiece", reason="pip install -e '.[speecht5]'")

from pipeline.errors import UserError
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from TTS import speecht5
from TTS.speecht5 import SPEAKERS, SpeechT5Synthesizer

Folders: TypeAlias = tuple[str, str, str]
"""Folders of the model, the vocoder and the speakers."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folders]:
    """Random weights never end by themselves, so what they may say is bounded more tightly."""
    import sentencepiece
    import torch
    from transformers import (
        SpeechT5Config,
        SpeechT5ForTextToSpeech,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
        SpeechT5Tokenizer,
    )

    torch.set_num_threads(1)  # with more they wait for each other where the machine is busy
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("speecht5")
    config = SpeechT5Config(
        vocab_size=81,
        hidden_size=32,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        speech_decoder_prenet_units=32,
        speech_decoder_postnet_units=32,
        speech_decoder_postnet_layers=2,
    )
    model = SpeechT5ForTextToSpeech(config)
    torch.nn.init.constant_(model.speech_decoder_postnet.prob_out.bias, -100)
    model.save_pretrained(root / "model")
    vocoder = SpeechT5HifiGan(SpeechT5HifiGanConfig(upsample_initial_channel=32, initializer_range=0.2))
    vocoder.save_pretrained(root / "vocoder")
    pieces = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the quick brown fox jumps over the lazy dog"] * 50),
        model_writer=pieces,
        minloglevel=2,
        vocab_size=40,
        model_type="char",
        hard_vocab_limit=False,
        pad_id=1,
        bos_id=0,
        eos_id=2,
        unk_id=3,
    )
    (root / "spm_char.model").write_bytes(pieces.getvalue())
    SpeechT5Tokenizer(str(root / "spm_char.model")).save_pretrained(root / "model")
    numbers = np.random.default_rng(0)
    (root / "speakers").mkdir()
    with zipfile.ZipFile(root / "speakers/spkrec-xvect.zip", "w") as vectors:
        for speaker in SPEAKERS:
            for sentence in ("a0001", "a0002"):
                data = io.BytesIO()
                np.save(data, numbers.normal(size=512).astype(np.float32))
                name = f"spkrec-xvect/cmu_us_{speaker}_arctic-wav-arctic_{sentence}.npy"
                vectors.writestr(name, data.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speecht5, "FRAMES_A_LETTER", 2)
        yield str(root / "model"), str(root / "vocoder"), str(root / "speakers")


@pytest.fixture(scope="module")
def synthesizer(folders: Folders) -> SpeechT5Synthesizer:
    return SpeechT5Synthesizer("cpu", *folders)


class TestSpeechT5(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: SpeechT5Synthesizer) -> SpeechT5Synthesizer:
        return synthesizer


def test_the_speakers_of_cmu_arctic_are_the_voices(synthesizer: SpeechT5Synthesizer) -> None:
    assert synthesizer.info.voices == SPEAKERS
    vectors = list(synthesizer._speakers.values())
    assert {vector.shape for vector in vectors} == {(512,)}
    assert not np.allclose(vectors[0], vectors[1])


def test_a_voice_of_a_file(folders: Folders, tmp_path: Path) -> None:
    vector = np.full(512, 0.1)
    np.save(tmp_path / "me.npy", vector)
    engine = SpeechT5Synthesizer("cpu", *folders, clone=str(tmp_path / "me.npy"))
    assert engine.info.voices == ("clone",)
    np.testing.assert_allclose(engine._speakers["clone"], vector, rtol=1e-6)
    assert len(next(engine.synthesize("Hello.", None, None, CancelToken())).samples)


def test_cancelled_in_mid_sentence_it_makes_no_audio(
    synthesizer: SpeechT5Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn is cancelled by another thread, once a frame was made."""
    cancel, begun = CancelToken(), threading.Event()
    prenet = synthesizer._model.speecht5.decoder.prenet
    forward = prenet.forward

    def told(*args: Any, **settings: Any) -> Any:
        begun.set()
        canceller.join()
        return forward(*args, **settings)

    def wait_and_cancel() -> None:
        begun.wait()
        cancel.cancel()

    canceller = threading.Thread(target=wait_and_cancel)
    canceller.start()
    monkeypatch.setattr(prenet, "forward", told)
    assert list(synthesizer.synthesize("Hello there.", None, None, cancel)) == []


def test_mistakes_are_told_at_start(folders: Folders, tmp_path: Path) -> None:
    model, vocoder, _ = folders
    with pytest.raises(UserError, match=r"--tts_voice: .*'nobody'"):
        SpeechT5Synthesizer("cpu", *folders, voice="nobody")
    np.save(tmp_path / "short.npy", np.zeros(3))
    with pytest.raises(UserError, match=r"--tts_clone .*expected 512 numbers, got 3"):
        SpeechT5Synthesizer("cpu", *folders, clone=str(tmp_path / "short.npy"))
    with pytest.raises(UserError, match="--tts_speakers_name"):
        SpeechT5Synthesizer("cpu", model, vocoder, str(tmp_path))
    with pytest.raises(UserError, match=r"--tts_model_name .*expected SpeechT5, got"):
        SpeechT5Synthesizer("cpu", str(tmp_path), vocoder)


@pytest.mark.parametrize("part", [0, 1])
def test_weights_that_are_cut_off_are_one_sentence(folders: Folders, tmp_path: Path, part: int) -> None:
    """Of the model as safetensors, of the vocoder as a pickle, as it stands on the hub."""
    import torch
    from safetensors.torch import load_file

    flag, expected = (("model", "SpeechT5"), ("vocoder", "SpeechT5HifiGan"))[part]
    broken = shutil.copytree(folders[part], tmp_path / "broken")
    weights = broken / "model.safetensors"
    if part == 1:
        torch.save(load_file(weights), broken / "pytorch_model.bin")
        weights.unlink()
        weights = broken / "pytorch_model.bin"
    weights.write_bytes(weights.read_bytes()[:3000])
    paths = [str(broken) if index == part else path for index, path in enumerate(folders)]
    with pytest.raises(UserError, match=f"^--tts_{flag}_name .*expected {expected}, got"):
        SpeechT5Synthesizer("cpu", *paths)
