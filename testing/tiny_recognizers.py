"""Tiny recognizers with random weights, built and saved on the spot, loaded through the real path.

They output nonsense, but nonsense that depends on the audio: a vocabulary of syllables, and output
layers with weights large enough for the sound to matter.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from testing.contracts import speech_like

SYLLABLES = ["".join(s) for s in itertools.product(("▁", ""), "bdfgklmnprst", "aeiou")]


def noise_tokenizer() -> Any:
    """A tokenizer of syllables; those that begin a word are marked as in SentencePiece."""
    from tokenizers import Tokenizer, decoders, models
    from transformers.models.parakeet.tokenization_parakeet import ParakeetTokenizer

    vocabulary = {token: number for number, token in enumerate(["<pad>", "<unk>", *SYLLABLES])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.decoder = decoders.Metaspace()
    return ParakeetTokenizer(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>")


def loud(model: Any, blank: int, head: Any) -> None:
    """Make the output depend on the sound, and the blank as likely as all syllables together."""
    import torch

    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith("encoder") and parameter.ndim > 1:
                torch.nn.init.xavier_normal_(parameter, gain=2.0)
        head.weight.normal_(0, 1.0)
        head.bias.zero_()
        head.bias[blank] += 2.0


def encoder_config(size: int = 32, layers: int = 1, **settings: Any) -> dict[str, Any]:
    """Configuration of a minimal Conformer."""
    return {
        "hidden_size": size,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 2 * size,
        "subsampling_conv_channels": 8,
        "num_mel_bins": 80,
        **settings,
    }


def tiny_parakeet(folder: Path, kind: str = "tdt", *, without: str = "") -> Path:
    """Save a Parakeet. `kind`: ctc, rnnt or tdt; `without` names weights to omit."""
    import torch
    from transformers import (
        ParakeetCTCConfig,
        ParakeetFeatureExtractor,
        ParakeetForCTC,
        ParakeetForRNNT,
        ParakeetForTDT,
        ParakeetProcessor,
        ParakeetRNNTConfig,
        ParakeetTDTConfig,
    )

    torch.manual_seed(0)
    tokenizer, model = noise_tokenizer(), None
    tokens = len(tokenizer)
    if kind == "ctc":
        config = ParakeetCTCConfig(vocab_size=tokens, encoder_config=encoder_config(), pad_token_id=0)
        model = ParakeetForCTC(config)
        loud(model, 0, model.ctc_head)
    else:
        config_class, model_class = {
            "rnnt": (ParakeetRNNTConfig, ParakeetForRNNT),
            "tdt": (ParakeetTDTConfig, ParakeetForTDT),
        }[kind]
        config = config_class(
            vocab_size=tokens + 1,
            decoder_hidden_size=32,
            num_decoder_layers=1,
            max_symbols_per_step=2,
            encoder_config=encoder_config(),
            pad_token_id=0,
            blank_token_id=tokens,
        )
        model = model_class(config)
        loud(model, tokens, model.joint.head)
        if kind == "tdt":  # every step moves on, or decoding might never end
            with torch.no_grad():
                model.joint.head.bias[tokens + 1] = -100.0
        model.generation_config.decoder_start_token_id = tokens
    model.save_pretrained(folder)
    extractor = ParakeetFeatureExtractor(feature_size=80)
    ParakeetProcessor(extractor, tokenizer, decoder_type=kind).save_pretrained(folder)
    if without:
        leave_out(folder, without)
    return folder


def tiny_nemotron(folder: Path, *, size: int = 32, layers: int = 2, without: str = "") -> Path:
    """Save a streaming Nemotron; `without` names weights to omit."""
    import torch
    from transformers import (
        NemotronAsrStreamingConfig,
        NemotronAsrStreamingFeatureExtractor,
        NemotronAsrStreamingForRNNT,
        NemotronAsrStreamingProcessor,
    )

    torch.manual_seed(0)
    tokenizer = noise_tokenizer()
    tokens = len(tokenizer)
    config = NemotronAsrStreamingConfig(
        vocab_size=tokens + 1,
        decoder_hidden_size=size,
        num_decoder_layers=1,
        max_symbols_per_step=2,
        encoder_config=encoder_config(size, layers),
        pad_token_id=0,
        blank_token_id=tokens,
    )
    model = NemotronAsrStreamingForRNNT(config)
    loud(model, tokens, model.joint.head)
    extractor = NemotronAsrStreamingFeatureExtractor(feature_size=80)
    louder = np.linspace(0.001, 1, 3 * 16000, dtype=np.float32) * speech_like(16000, 3.0)
    with torch.no_grad():  # this spectrogram is not normalised: its mean would mask every difference
        inputs = extractor(louder, sampling_rate=16000, return_tensors="pt")["input_features"]
        heard = model.get_audio_features(input_features=inputs, num_lookahead_tokens=6).pooler_output[0]
        model.encoder_projector.weight /= heard.std(dim=0)[:, None]
        model.encoder_projector.bias.copy_(
            (model.encoder_projector.bias - heard.mean(dim=0)) / heard.std(dim=0)
        )
    model.generation_config.decoder_start_token_id = tokens
    model.save_pretrained(folder)
    NemotronAsrStreamingProcessor(extractor, tokenizer).save_pretrained(folder)
    if without:
        leave_out(folder, without)
    return folder


def leave_out(folder: Path, without: str) -> None:
    """Remove the weights with `without` in their names from a saved model."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if without not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
