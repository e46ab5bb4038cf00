"""Paraformer with tiny random weights, loaded as FunASR loads the real ones."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # FunASR's own, and of what it imports
    pytest.importorskip("funasr", reason="pip install -e '.[paraformer]'")
    import torch
    from funasr.register import tables
    from omegaconf import OmegaConf

    from STT.paraformer import ParaformerRecognizer, StreamingParaformer, load_paraformer

from pipeline.errors import UserError
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.contracts import RecognizerContract, StreamingRecognizerContract
from tests.speech import spoken as say

pytestmark = pytest.mark.filterwarnings("ignore")

CHARACTERS = "的一是不了人我在有他这中大来上国个到说们"


def tiny_paraformer(folder: Path, *, streams: bool = False) -> str:
    """Two small layers; every 0.1 s or so is a character, and the sound matters."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blank>", "<s>", "</s>", *CHARACTERS, "<unk>"]
    (folder / "tokens.json").write_text(json.dumps(tokens))
    common: dict[str, Any] = {
        "attention_heads": 2,
        "linear_units": 64,
        "kernel_size": 11,
        "sanm_shfit": 5 if streams else 0,
    }
    encoder = {
        **common,
        "output_size": 32,
        "num_blocks": 2,
        "input_layer": "pe_online" if streams else "pe",
        "pos_enc_class": "SinusoidalPositionEncoder",
        "normalize_before": True,
        "selfattention_layer_type": "sanm",
    }
    if streams:
        encoder |= {
            "chunk_size": [20, 26],
            "stride": [10, 10],
            "pad_left": [0, 0],
            "encoder_att_look_back_factor": [0, 0],
            "decoder_att_look_back_factor": [0, 0],
        }
    config = {
        "model": "ParaformerStreaming" if streams else "Paraformer",
        "model_conf": {"ctc_weight": 0.0, "predictor_bias": 1, "sampling_ratio": 0.75},
        "encoder": "SANMEncoderChunkOpt" if streams else "SANMEncoder",
        "encoder_conf": encoder,
        "decoder": "ParaformerSANMDecoder",
        "decoder_conf": {**common, "num_blocks": 1, "att_layer_num": 1},
        "predictor": "CifPredictorV2",
        "predictor_conf": {
            "idim": 32,
            "threshold": 1.0,
            "l_order": 1,
            "r_order": 1,
            "tail_threshold": 0.45,
        },
        "frontend": "WavFrontendOnline" if streams else "WavFrontend",
        "frontend_conf": {
            "fs": 16000,
            "window": "hamming",
            "n_mels": 80,
            "frame_length": 25,
            "frame_shift": 10,
            "lfr_m": 7,
            "lfr_n": 6,
            "dither": 0.0,  # which would be chance
        },
        "tokenizer": "CharTokenizer",
        "tokenizer_conf": {"unk_symbol": "<unk>", "split_with_space": True},
        "input_size": 560,
    }
    OmegaConf.save(OmegaConf.create(config), folder / "config.yaml")
    torch.manual_seed(0)
    model = tables.model_classes[config["model"]](**config, vocab_size=len(tokens))
    with torch.no_grad():
        model.decoder.output_layer.weight.normal_(0, 1.0)
        model.decoder.output_layer.bias[:3] = -100.0
        model.decoder.output_layer.bias[-1] = -100.0
    torch.save(model.state_dict(), folder / "model.pt")
    return str(folder)


class TestParaformer(RecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> ParaformerRecognizer:
        return load_paraformer(tiny_paraformer(tmp_path_factory.mktemp("paraformer")), "cpu")

    @pytest.fixture
    def spoken(self) -> Samples:
        return say("What is the weather like in London today?")

    def test_chinese_is_written_without_spaces(
        self, engine: ParaformerRecognizer, spoken: Samples
    ) -> None:
        heard = engine.transcribe(spoken, None, CancelToken())
        assert set(heard.text) <= set(CHARACTERS)
        assert heard.language == "zh"
        assert engine.transcribe(spoken[::-1].copy(), None, CancelToken()).text != heard.text

    def test_broken_samples_are_no_error(self, engine: ParaformerRecognizer) -> None:
        broken = np.full(16000, np.nan, np.float32)
        assert isinstance(engine.transcribe(broken, None, CancelToken()).text, str)


class TestStreamingParaformer(StreamingRecognizerContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, tmp_path_factory: pytest.TempPathFactory) -> ParaformerRecognizer:
        return load_paraformer(tiny_paraformer(tmp_path_factory.mktemp("online"), streams=True), "cpu")

    @pytest.fixture
    def spoken(self) -> Samples:
        return say("What is the weather like in London today?")

    def test_the_kind_of_the_model_decides(self, engine: ParaformerRecognizer) -> None:
        assert isinstance(engine, StreamingParaformer)


def test_the_threads_of_the_process_stay_as_they_are(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    load_paraformer(tiny_paraformer(tmp_path / "paraformer-en"), "cpu")
    assert torch.get_num_threads() == before


def test_what_understands_english_is_named_so(tmp_path: Path) -> None:
    assert load_paraformer(tiny_paraformer(tmp_path / "paraformer-en"), "cpu").info.languages == ("en",)


def test_weights_that_are_missing_are_told(tmp_path: Path) -> None:
    folder = tiny_paraformer(tmp_path / "broken")
    weights = torch.load(tmp_path / "broken" / "model.pt")
    kept = {name: tensor for name, tensor in weights.items() if "decoder" not in name}
    torch.save(kept, tmp_path / "broken" / "model.pt")
    with pytest.raises(UserError, match=r"--stt_model_name .*have no weights"):
        load_paraformer(folder, "cpu")


def test_another_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="expected a Paraformer of FunASR, got no config"):
        load_paraformer(str(tmp_path), "cpu")
    (tmp_path / "config.yaml").write_text("model: Whisper")
    with pytest.raises(UserError, match="expected a Paraformer of FunASR, got Whisper"):
        load_paraformer(str(tmp_path), "cpu")
