"""MMS over tiny random models of several languages."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install -e '.[mms]'")

from pipeline.errors import EngineError, UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from TTS import mms
from TTS.base import Synthesizer
from TTS.mms import LANGUAGES, MmsSynthesizer, mms_code


def tiny_vits(
    folder: Path, letters: str = "abcdefghijklmnopqrstuvwxyz", **tokenizer_settings: object
) -> Path:
    """A VITS as on the hub, with these letters in its vocabulary."""
    import torch
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    torch.set_num_threads(1)  # more threads wait for each other on a busy machine
    torch.manual_seed(0)
    folder.mkdir(parents=True)
    vocabulary = ["<pad>", " ", "'", "-", *"abcdefghijklmnopqrstuvwxyz", "<unk>"]
    (folder / "vocab.json").write_text(json.dumps({letter: i for i, letter in enumerate(vocabulary)}))
    settings: dict[str, object] = {"language": "eng", "phonemize": False, "is_uroman": False}
    VitsTokenizer(str(folder / "vocab.json"), **settings | tokenizer_settings).save_pretrained(folder)
    model = VitsModel(
        VitsConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            ffn_dim=32,
            flow_size=16,
            spectrogram_bins=9,
            upsample_initial_channel=16,
            resblock_kernel_sizes=[3],
            resblock_dilation_sizes=[[1, 3]],
            duration_predictor_filter_channels=16,
            depth_separable_num_layers=1,
            duration_predictor_num_flows=2,
            prior_encoder_num_flows=2,
            prior_encoder_num_wavenet_layers=2,
            posterior_encoder_num_wavenet_layers=2,
            initializer_range=0.2,
        )
    )
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("models")
    for code in ("eng", "fra", "deu", "spa", "hin", "urd-script_arabic"):
        tiny_vits(folder / f"mms-tts-{code}")
    tiny_vits(folder / "mms-tts-tel", language="tel", is_uroman=True)
    return str(folder / "mms-tts-")


@pytest.fixture(scope="module")
def synthesizer(models: str) -> MmsSynthesizer:
    return MmsSynthesizer("cpu", models)


class TestMms(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: MmsSynthesizer) -> MmsSynthesizer:
        return synthesizer

    def languages_to_try(self, engine: Synthesizer) -> set[str]:
        return {"en", "hi", "te"} if importlib.util.find_spec("uroman") else {"en", "hi"}


def say(engine: MmsSynthesizer, text: str, language: str | None = None) -> Samples:
    chunks = list(engine.synthesize(text, None, language, CancelToken()))
    return np.concatenate([chunk.samples for chunk in chunks] or [np.empty(0, np.float32)])


@pytest.mark.parametrize(
    ("language", "code"),
    [("te", "tel"), ("en", "eng"), ("fr", "fra"), ("de", "deu"), ("jw", "jav"), ("sw", "swh"),
     ("ur", "urd-script_arabic"), ("fa", "fas"), ("ro", "ron"), ("el", "ell")],
)  # fmt: skip
def test_what_mms_calls_a_language(language: str, code: str) -> None:
    assert language in LANGUAGES
    assert mms_code(language) == code


def test_it_has_over_forty_languages_and_says_what_it_lacks() -> None:
    assert len(set(LANGUAGES)) == len(LANGUAGES) > 40
    assert not {"it", "ja", "zh", "cs", "da", "no"} & set(LANGUAGES)


def test_the_model_of_a_language_is_loaded_when_it_is_spoken_and_few_are_kept(models: str) -> None:
    engine = MmsSynthesizer("cpu", models)
    for language in ("fr", "de", "es", "en", "hi"):
        assert len(say(engine, "hello", language))
    loaded = engine._voice.cache_info()
    assert (loaded.misses, loaded.currsize) == (5, mms.KEPT)
    say(engine, "hello", "en")
    assert engine._voice.cache_info().misses == 5


def test_a_language_whose_model_unavailable_is_an_error_of_its_turn(
    synthesizer: MmsSynthesizer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(EngineError, match=r"^a voice for Russian is not available here$") as caught:
        say(synthesizer, "hello", "ru")
    assert "mms-tts-rus: expected a folder that exists" in caplog.text
    assert caught.value.code == "no_model"
    assert len(say(synthesizer, "hello"))


def test_letters_that_the_model_does_not_know_are_silence(synthesizer: MmsSynthesizer) -> None:
    assert len(say(synthesizer, "నమస్కారం 12")) == 0


def test_telugu_is_read_in_latin_letters(models: str) -> None:
    if importlib.util.find_spec("uroman") is None:
        pytest.skip("pip install -e '.[mms]'")
    engine = MmsSynthesizer("cpu", models, seed=1)
    assert len(say(engine, "నమస్కారం", "te")) > 0
    np.testing.assert_array_equal(say(engine, "నమస్కారం", "te"), say(engine, "namaskaaram", "te"))


def test_without_uroman_telugu_says_what_to_type(models: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uroman", None)
    with pytest.raises(UserError, match=r"uroman to read Telugu; type: pip install -e '\.\[mms\]'"):
        MmsSynthesizer("cpu", models, language="te")


def test_a_seed_makes_it_sound_the_same(models: str) -> None:
    text = "hello how are you"
    seeded = MmsSynthesizer("cpu", models, seed=7)
    np.testing.assert_array_equal(say(seeded, text), say(seeded, text))
    free = MmsSynthesizer("cpu", models)
    first, second = say(free, text), say(free, text)
    assert len(first) != len(second) or not np.array_equal(first, second)


def test_speed(models: str) -> None:
    slow, fast = (MmsSynthesizer("cpu", models, speed=speed, seed=1) for speed in (0.5, 2))
    assert len(say(fast, "hello how are you")) < 0.5 * len(say(slow, "hello how are you"))


def test_a_model_with_made_up_layers_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = tiny_vits(tmp_path / "mms-tts-eng") / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(weights).items() if "decoder" not in name}
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(UserError, match="layers have no weights"):
        MmsSynthesizer("cpu", str(tmp_path / "mms-tts-"))


def test_mistakes_are_told_at_start(models: str) -> None:
    with pytest.raises(UserError, match=r"--tts_language: expected one of .*, got 'xx'"):
        MmsSynthesizer("cpu", models, language="xx")
    with pytest.raises(UserError, match=r"--tts_model_name /nowhere/mms-eng"):
        MmsSynthesizer("cpu", "/nowhere/mms-")


def test_weights_that_are_cut_off_are_one_sentence(tmp_path: Path) -> None:
    weights = tiny_vits(tmp_path / "mms-tts-eng") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"^--tts_model_name .*expected a VITS model, got"):
        MmsSynthesizer("cpu", str(tmp_path / "mms-tts-"))
