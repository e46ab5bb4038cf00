"""Tiny codecs with random weights, saved where the real code loads them.

In a model that Transformers has just initialized, all entries of a codebook are 0, so every code is 0;
Mimi's transformers hardly change their input; and in EnCodec the biases drown the signal. Tests would
compare nothing with nothing, so the weights are changed until the codes vary.
"""

from pathlib import Path


def tiny_encodec(folder: Path, **settings: object) -> Path:
    """Save an EnCodec model for 24 kHz: frames of 320 samples, codebooks of 64 entries."""
    import torch
    from transformers import EncodecConfig, EncodecModel

    torch.manual_seed(0)
    config = EncodecConfig(
        num_filters=4,
        hidden_size=16,
        codebook_size=64,
        num_lstm_layers=2,
        **{"target_bandwidths": [0.9, 3.6], **settings},
    )
    model = EncodecModel(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("weight.original0"):  # the length of a convolution's weights
                weight.mul_(2.0)
            elif name.endswith("conv.bias"):
                weight.zero_()
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_()
    model.save_pretrained(folder)
    return folder


def tiny_mimi(folder: Path, **settings: object) -> Path:
    """Save a Mimi model for 24 kHz: frames of 1920 samples, 8 codebooks of 64 entries, transformers that
    look back 12 steps (6 frames)."""
    import torch
    from transformers import MimiConfig, MimiModel

    torch.manual_seed(0)
    config = MimiConfig(
        hidden_size=32,
        num_filters=4,
        codebook_size=64,
        codebook_dim=16,
        vector_quantization_hidden_dimension=16,
        num_quantizers=8,
        layer_scale_initial_scale=1.0,
        initializer_range=0.2,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=64,
        upsample_groups=32,
        sliding_window=12,
        **settings,
    )
    model = MimiModel(config)
    for name, buffer in model.named_buffers():
        if name.endswith("embed_sum"):
            buffer.normal_()
    model.save_pretrained(folder)
    return folder


def tiny_hifi_gan(folder: Path, **settings: object) -> Path:
    """Save a HiFi-GAN for mel spectra of 80 bands at 16 kHz."""
    import torch
    from transformers import SpeechT5HifiGan, SpeechT5HifiGanConfig

    torch.manual_seed(0)
    config = SpeechT5HifiGanConfig(
        **{"upsample_initial_channel": 32, "initializer_range": 0.2, **settings}
    )
    SpeechT5HifiGan(config).save_pretrained(folder)
    return folder
