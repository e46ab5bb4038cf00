"""Tiny models of Coqui TTS with random weights, saved as the real ones are."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any


def tiny_vits(folder: Path) -> Path:
    """English, one speaker, no phonemes."""
    import torch
    from TTS.tts.configs.vits_config import VitsConfig
    from TTS.tts.models.vits import Vits, VitsArgs

    torch.manual_seed(0)
    sizes = VitsArgs(
        hidden_channels=32,
        hidden_channels_ffn_text_encoder=32,
        num_heads_text_encoder=2,
        num_layers_text_encoder=1,
        num_layers_posterior_encoder=2,
        num_layers_flow=1,
        upsample_initial_channel_decoder=16,
        resblock_kernel_sizes_decoder=[3],
        resblock_dilation_sizes_decoder=[[1, 3, 5]],
        length_scale=1,
        use_sdp=False,
    )
    config = VitsConfig(
        model_args=sizes, use_phonemes=False, text_cleaner="basic_cleaners", languages=["en"]
    )
    model = Vits(config)
    _louder(model.waveform_decoder)
    folder.mkdir(parents=True, exist_ok=True)
    config.save_json(folder / "config.json")
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    return folder


def tiny_xtts(folder: Path) -> Path:
    """17 languages and two speakers."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from TTS.tts.configs.xtts_config import XttsArgs, XttsConfig
    from TTS.tts.models.xtts import Xtts

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    config = XttsConfig()
    special = ["[STOP]", "[UNK]", "[SPACE]", "[START]"]
    special += [f"[{language}]" for language in config.languages]
    letters = special + list("abcdefghijklmnopqrstuvwxyz.,?!'")
    of_letters = Tokenizer(
        models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[], unk_token="[UNK]")
    )
    of_letters.pre_tokenizer = pre_tokenizers.Whitespace()
    of_letters.add_special_tokens(special)
    of_letters.save(str(folder / "vocab.json"))
    config.model_args = XttsArgs(
        gpt_layers=1,
        gpt_n_model_channels=64,
        gpt_n_heads=2,
        gpt_max_audio_tokens=26,
        gpt_num_audio_tokens=130,
        gpt_start_audio_token=128,
        gpt_stop_audio_token=129,
        gpt_use_perceiver_resampler=True,
        decoder_input_dim=64,
        tokenizer_file=str(folder / "vocab.json"),
    )
    config.save_json(folder / "config.json")
    model = Xtts(config)
    from TTS.tts.layers.xtts.tokenizer import VoiceBpeTokenizer

    model.tokenizer = VoiceBpeTokenizer(vocab_file=folder / "vocab.json")
    model.init_models()
    _louder(model.hifigan_decoder.waveform_decoder)
    torch.save({"model": model.state_dict()}, folder / "model.pth")
    speakers = {
        name: {
            "gpt_cond_latent": torch.randn(1, 32, 64),
            "speaker_embedding": torch.randn(1, 512, 1),
        }
        for name in ("Ana Florence", "Damien Black")
    }
    torch.save(speakers, folder / "speakers_xtts.pth")
    return folder


def small_decoder() -> Callable[..., Any]:
    """In place of the class of XTTS's decoder, whose size no setting tells."""
    from TTS.tts.layers.xtts.hifigan_decoder import HifiDecoder

    return functools.partial(
        HifiDecoder,
        upsample_initial_channel_decoder=16,
        resblock_kernel_sizes_decoder=[3],
        resblock_dilation_sizes_decoder=[[1, 3, 5]],
    )


def _louder(decoder: Any) -> None:
    """Random weights whisper."""
    for name, weights in decoder.named_parameters():
        if name.startswith("conv_post"):
            weights.data.mul_(50)
