"""A tiny Parler-TTS with random weights, saved as the real ones are."""

from pathlib import Path

_CODES = 1024
"""Of the codec, as in the real models; behind them come the tokens that end and begin."""


def tiny_parler(folder: Path, *, own_tokenizer: bool = False) -> Path:
    """`own_tokenizer`: prompts have another vocabulary than descriptions, whose tokenizer then lies
    beside the model, as with Indic Parler-TTS."""
    import torch
    from parler_tts import (
        ParlerTTSConfig,
        ParlerTTSDecoderConfig,
        ParlerTTSForConditionalGeneration,
    )
    from transformers import DacConfig, T5Config

    torch.manual_seed(0)
    vocabulary = _tokenizer(folder, extra=20 if own_tokenizer else 0)
    described = (
        _tokenizer(folder.with_name(f"{folder.name}-text-encoder")) if own_tokenizer else vocabulary
    )
    t5 = T5Config(
        vocab_size=described,
        d_model=32,
        d_kv=16,
        d_ff=64,
        num_layers=1,
        num_heads=2,
        decoder_start_token_id=0,
    )
    dac = DacConfig(
        encoder_hidden_size=8,
        decoder_hidden_size=64,
        downsampling_ratios=[2, 4, 8, 8],
        upsampling_ratios=[8, 8, 4, 2],
        n_codebooks=4,
        codebook_size=_CODES,
        codebook_dim=4,
        hidden_size=128,
        sampling_rate=44100,
    )
    end, begin = _CODES, _CODES + 1
    decoder = ParlerTTSDecoderConfig(
        vocab_size=_CODES + 2,
        max_position_embeddings=1024,
        num_hidden_layers=1,
        ffn_dim=64,
        num_attention_heads=2,
        hidden_size=32,
        num_codebooks=4,
        pad_token_id=end,
        eos_token_id=end,
        bos_token_id=begin,
    )
    config = ParlerTTSConfig.from_sub_models_config(
        t5,
        dac,
        decoder,
        vocab_size=vocabulary,
        decoder_start_token_id=begin,
        pad_token_id=end,
        is_encoder_decoder=True,
        prompt_cross_attention=False,
    )
    if own_tokenizer:
        config.text_encoder._name_or_path = f"{folder}-text-encoder"
    model = ParlerTTSForConditionalGeneration(config)
    for name, weights in model.audio_encoder.named_parameters():
        if name.endswith("conv2.weight") or "codebook" in name:
            weights.data.mul_(3)  # else it whispers
    settings = model.generation_config
    settings.decoder_start_token_id, settings.bos_token_id = begin, begin
    settings.pad_token_id = settings.eos_token_id = end
    settings.max_length, settings.do_sample = 120, True
    model.save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, extra: int = 0) -> int:
    """Bytes, and `extra` tokens that are never used; gives the size of the vocabulary."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = ["<pad>", "</s>", "<unk>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    letters += [f"<extra{number}>" for number in range(extra)]
    of_bytes = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    of_bytes.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    of_bytes.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=of_bytes, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)
    return len(letters)
