"""A tiny Qwen3-TTS with random weights, saved as the real ones are."""

import json
from pathlib import Path
from typing import Any

_CODEBOOKS, _CODES = 4, 64


def tiny_qwen(folder: Path, *, size: str = "0b6", without: str = "") -> Path:
    """`size`: as the library calls it, "0b6" or "1b7"; `without`: weights that are left out."""
    import torch
    from qwen_tts.core.models import Qwen3TTSConfig, Qwen3TTSForConditionalGeneration

    torch.manual_seed(0)
    vocabulary = _tokenizer(folder)
    _speech_tokenizer(folder / "speech_tokenizer")
    small = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 16,
        "num_code_groups": _CODEBOOKS,
    }
    first = _CODES + 6  # of the tokens that are no code
    special = [
        "codec_eos_token_id", "codec_think_id", "codec_nothink_id", "codec_think_bos_id",
        "codec_think_eos_id", "codec_pad_id", "codec_bos_id",
    ]  # fmt: skip
    talker = {
        **small,
        **{name: first + number for number, name in enumerate(special)},
        "vocab_size": 1024 + _CODES,  # the library allows none of the last 1024 but the end
        "text_hidden_size": 32,
        "text_vocab_size": len(vocabulary),
        "codec_language_id": {"english": first + 7, "chinese": first + 8},
        "spk_id": {"vivian": first + 9, "ryan": first + 10},
        "spk_is_dialect": {"vivian": False, "ryan": False},
        "rope_scaling": {"mrope_section": [2, 3, 3], "rope_type": "default", "interleaved": True},
        "pad_token_id": first + 5,
        "code_predictor_config": {**small, "vocab_size": _CODES, "pad_token_id": 0},
    }
    config = Qwen3TTSConfig(
        talker_config=talker,
        tokenizer_type="qwen3_tts_tokenizer_12hz",
        tts_model_size=size,
        tts_model_type="custom_voice",
        im_start_token_id=vocabulary["<|im_start|>"],
        im_end_token_id=vocabulary["<|im_end|>"],
        tts_pad_token_id=vocabulary["<tts_pad>"],
        tts_bos_token_id=vocabulary["<tts_text_bos>"],
        tts_eos_token_id=vocabulary["<tts_text_eod>"],
    )
    _save(Qwen3TTSForConditionalGeneration(config), folder, without)
    saved = json.loads((folder / "config.json").read_text())
    saved["speaker_encoder_config"] = {}  # it cannot read what it writes there
    (folder / "config.json").write_text(json.dumps(saved))
    settings = {"do_sample": True, "top_k": 20, "max_new_tokens": 20}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return folder


def _tokenizer(folder: Path) -> dict[str, int]:
    """Bytes."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Tokenizer

    folder.mkdir(parents=True, exist_ok=True)
    letters = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({letter: i for i, letter in enumerate(letters)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = Qwen2Tokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    special = ["<|im_start|>", "<|im_end|>", "<tts_pad>", "<tts_text_bos>", "<tts_text_eod>"]
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    tokenizer.save_pretrained(folder)
    return dict(tokenizer.get_vocab())


def _speech_tokenizer(folder: Path) -> None:
    from qwen_tts.core.tokenizer_12hz.configuration_qwen3_tts_tokenizer_v2 import (
        Qwen3TTSTokenizerV2Config,
    )
    from qwen_tts.core.tokenizer_12hz.modeling_qwen3_tts_tokenizer_v2 import Qwen3TTSTokenizerV2Model
    from transformers import EncodecFeatureExtractor

    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, **heads}
    codes = {"codebook_size": _CODES, "num_quantizers": _CODEBOOKS}
    encoder = {
        **small,
        **codes,
        "num_filters": 4,
        "codebook_dim": 16,
        "vector_quantization_hidden_dimension": 16,
        "upsample_groups": 32,
    }
    decoder = {**small, **codes, "latent_dim": 32, "decoder_dim": 64, "codebook_dim": 32}
    config = Qwen3TTSTokenizerV2Config(
        encoder_config=encoder, decoder_config=decoder, encoder_valid_num_quantizers=_CODEBOOKS
    )
    _save(Qwen3TTSTokenizerV2Model(config), folder)
    EncodecFeatureExtractor(feature_size=1, sampling_rate=24000).save_pretrained(folder)


def _save(model: Any, folder: Path, without: str = "") -> None:
    """With weights that speak: what random initialisation leaves at zero is silent."""
    import torch
    from safetensors.torch import save_file

    for name, weights in model.named_parameters():
        if weights.dim() == 1 and "weight" in name:
            weights.data.fill_(1)
        else:
            weights.data.normal_(0, 0.05)
    for name, buffer in model.named_buffers():
        if buffer.is_floating_point() and ("embed" in name or "usage" in name):
            buffer.data.uniform_(0.5, 1)
    folder.mkdir(parents=True, exist_ok=True)
    model.config.save_pretrained(folder)
    tensors = {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
    kept = {name: tensor for name, tensor in tensors.items() if not without or without not in name}
    torch.manual_seed(0)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
