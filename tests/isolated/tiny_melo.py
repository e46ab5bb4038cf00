"""A tiny MeloTTS with random weights, and what it reads words with."""

import json
from pathlib import Path
from typing import Any

SPEAKERS = {"en": {"EN-US": 0, "EN-BR": 1}, "es": {"ES": 0}}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tiny_reader(folder: Path) -> Path:
    """A BERT for the words, in place of the six that MeloTTS wants; it has to be as wide as they are."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *_LETTERS, *".,?!'", *(f"##{letter}" for letter in _LETTERS)]
    pieces = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=pieces,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=768,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertForMaskedLM(config).save_pretrained(folder)
    return folder


def tiny_melo(folder: Path, language: str = "en") -> Path:
    """A model of one language, as the hub has it: config.json and checkpoint.pth."""
    import torch
    from melo.models import SynthesizerTrn
    from melo.text.symbols import symbols
    from melo.utils import get_hparams_from_file

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    speakers = SPEAKERS[language]
    sizes: dict[str, Any] = {
        "use_spk_conditioned_encoder": True,
        "use_noise_scaled_mas": True,
        "use_mel_posterior_encoder": False,
        "use_duration_discriminator": True,
        "inter_channels": 32,
        "hidden_channels": 32,
        "filter_channels": 64,
        "n_heads": 2,
        "n_layers": 4,
        "n_layers_trans_flow": 3,
        "kernel_size": 3,
        "p_dropout": 0.1,
        "resblock": "1",
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1, 3, 5]],
        "upsample_rates": [8, 8, 2, 2, 2],
        "upsample_initial_channel": 64,
        "upsample_kernel_sizes": [16, 16, 8, 2, 2],
        "n_layers_q": 3,
        "use_spectral_norm": False,
        "gin_channels": 32,
    }
    data = {
        "sampling_rate": 44100,
        "filter_length": 2048,
        "hop_length": 512,
        "add_blank": True,
        "n_speakers": 4,  # with room to spare, as in the real ones
        "spk2id": speakers,
    }
    config = {
        "train": {"segment_size": 16384},
        "data": data,
        "model": sizes,
        "num_languages": 10,
        "num_tones": 16,
        "symbols": symbols,
    }
    (folder / "config.json").write_text(json.dumps(config))
    settings = get_hparams_from_file(str(folder / "config.json"))
    model = SynthesizerTrn(
        len(symbols),
        1025,
        32,
        n_speakers=4,
        num_tones=16,
        num_languages=10,
        **settings.model,
    )
    model.dec.conv_post.weight.data.mul_(50)  # random weights whisper
    torch.save({"model": model.state_dict()}, folder / "checkpoint.pth")
    return folder
