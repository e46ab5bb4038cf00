"""Bark over a tiny random model; only torch and Transformers are needed."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install -e '.[bark]'")

from pipeline.errors import UserError
from pipeline.turn import CancelToken
from testing.contracts import SynthesizerContract
from TTS.bark import BarkSynthesizer

pytestmark = pytest.mark.filterwarnings("ignore")  # torch deprecates what EnCodec uses
VOICES = ("v2/en_speaker_6", "v2/fr_speaker_0", "v2/fr_speaker_1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What it says lasts 0.8 s, since random weights do not end by themselves."""
    import torch
    from transformers import BarkConfig, BarkModel, BertTokenizerFast, GenerationConfig
    from transformers.models.bark import generation_configuration_bark as generation

    torch.set_num_threads(1)  # with more they wait for each other where the machine is busy
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bark")
    size = {"num_layers": 1, "num_heads": 2, "hidden_size": 16, "block_size": 1024}
    config = BarkConfig(
        semantic_config={"input_vocab_size": 129600, "output_vocab_size": 10048, **size},
        coarse_acoustics_config={"input_vocab_size": 12096, "output_vocab_size": 12096, **size},
        fine_acoustics_config={
            "input_vocab_size": 1056,
            "output_vocab_size": 1056,
            "n_codes_total": 8,
            "n_codes_given": 1,
            **size,
        },
        codec_config={
            "model_type": "encodec",
            "target_bandwidths": [6.0],
            "num_filters": 4,
            "hidden_size": 16,
            "codebook_dim": 16,
            "codebook_size": 1024,
            "num_lstm_layers": 1,
        },
    )
    model = BarkModel(config)
    for layer in model.codec_model.quantizer.layers:  # made as zeros: every code would be silence
        torch.nn.init.normal_(layer.codebook.embed)

    def plain(settings: GenerationConfig) -> dict[str, object]:
        kept = (int, float, str, bool, list)
        return {k: v for k, v in vars(settings).items() if isinstance(v, kept) and k[0] != "_"}

    length = {"max_new_tokens": 40, "min_new_tokens": 40}
    model.generation_config = GenerationConfig(  # BarkGenerationConfig cannot be saved
        semantic_config=plain(generation.BarkSemanticGenerationConfig()) | length,
        coarse_acoustics_config=plain(generation.BarkCoarseGenerationConfig()),
        fine_acoustics_config=plain(generation.BarkFineGenerationConfig()),
        sample_rate=24000,
        codebook_size=1024,
    )
    model.save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    BertTokenizerFast(vocab={word: i for i, word in enumerate(words)}).save_pretrained(folder)
    numbers = np.random.default_rng(0)
    prompts: dict[str, tuple[int, int | tuple[int, int]]]
    prompts = {"semantic": (10000, 50), "coarse": (1024, (2, 75)), "fine": (1024, (8, 75))}
    listed: dict[str, Any] = {"repo_or_path": "suno/bark-small"}
    (folder / "speaker_embeddings/v2").mkdir(parents=True)
    for voice in VOICES:
        listed[voice] = {}
        for kind, (highest, shape) in prompts.items():
            file = f"speaker_embeddings/{voice}_{kind}_prompt.npy"
            np.save(folder / file, numbers.integers(0, highest, shape))
            listed[voice][f"{kind}_prompt"] = file
    (folder / "speaker_embeddings_path.json").write_text(json.dumps(listed))
    return folder


@pytest.fixture(scope="module")
def synthesizer(folder: Path) -> BarkSynthesizer:
    return BarkSynthesizer("cpu", str(folder))


class TestBark(SynthesizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, synthesizer: BarkSynthesizer) -> BarkSynthesizer:
        return synthesizer


def test_voices_and_languages_are_those_of_the_presets(synthesizer: BarkSynthesizer) -> None:
    assert synthesizer.info.voices == VOICES
    assert synthesizer.info.languages == ("en", "fr")
    assert synthesizer._choose(None, "fr") == "v2/fr_speaker_0"
    assert synthesizer._choose("v2/en_speaker_6", "fr") == "v2/en_speaker_6"


def test_cancelled_within_a_stage_it_makes_no_audio(
    synthesizer: BarkSynthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The turn is cancelled by another thread, once the first stage has made its first token."""
    cancel, begun = CancelToken(), threading.Event()
    forward = synthesizer._model.semantic.forward

    def told(*args: Any, **settings: Any) -> Any:
        begun.set()
        canceller.join()
        return forward(*args, **settings)

    def wait_and_cancel() -> None:
        begun.wait()
        cancel.cancel()

    canceller = threading.Thread(target=wait_and_cancel)
    canceller.start()
    monkeypatch.setattr(synthesizer._model.semantic, "forward", told)
    assert list(synthesizer.synthesize("Hello there.", None, None, cancel)) == []


def test_mistakes_are_told_at_start(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--tts_voice: .*'nobody'"):
        BarkSynthesizer("cpu", str(folder), voice="nobody")
    with pytest.raises(UserError, match=r"--tts_language: .*'te'"):
        BarkSynthesizer("cpu", str(folder), language="te")
    with pytest.raises(UserError, match="expected Bark, got"):
        BarkSynthesizer("cpu", str(tmp_path))


def test_weights_that_are_cut_off_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(folder, tmp_path / "bark")
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000])
    with pytest.raises(UserError, match=r"^--tts_model_name .*expected Bark, got"):
        BarkSynthesizer("cpu", str(broken))
