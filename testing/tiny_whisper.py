"""A tiny Whisper with random weights, built and saved on the spot."""

from pathlib import Path
from typing import Any

LANGUAGES = ("en", "fr", "es", "zh", "ja", "ko", "hi", "de", "pt", "pl", "it", "nl", "te", "sv", "jw")

SIZE = {
    **{"d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 64},
    **{"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 64},
}


def tiny_whisper(
    folder: Path,
    *,
    multilingual: bool = True,
    hears: str = "",
    silent: bool = False,
    without: str = "",
    fillers: int = 0,
    **size: int,
) -> Path:
    """Save a model with one layer each way and a vocabulary of bytes; English only unless
    `multilingual`.

    Its output is nonsense of ASCII letters that depends on the audio: an untouched random model would
    output only special tokens. `hears`: the language it detects in any audio; `silent`: it takes any
    audio for silence; `without`: weights to omit; `fillers`: number of extra words in the vocabulary;
    `size`: other dimensions, as in ``d_model=512``.
    """
    import torch
    from safetensors.torch import load_file, save_file
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )

    letters = sorted(ByteLevel.alphabet())
    languages = [f"<|{code}|>" for code in LANGUAGES] if multilingual else []
    special = ["<|endoftext|>", "<|startoftranscript|>", *languages, "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    times = [f"<|{second / 50:.2f}|>" for second in range(1501)]
    text = [*letters, *(f"filler{number}" for number in range(fillers))]
    if multilingual:
        text.append("")  # CTranslate2 recognizes a multilingual model by it
    ids = {token: number for number, token in enumerate([*text, *special, *times])}
    tokenizer = WhisperTokenizer(vocab=ids, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": special[1:]})
    end, start = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    torch.manual_seed(0)
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=80,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=start,
        init_std=1.0,
        **(SIZE | size),
    )
    model = WhisperForConditionalGeneration(config)
    speech = [ids[letter] for letter in "abcdefghijklmnopqrstuvwxyz"]
    settings: dict[str, Any] = {"is_multilingual": multilingual}
    if multilingual:
        settings["lang_to_id"] = {token: ids[token] for token in languages}
        settings["task_to_id"] = {"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]}
    model.generation_config = GenerationConfig(
        eos_token_id=end,
        pad_token_id=end,
        bos_token_id=end,
        decoder_start_token_id=start,
        no_timestamps_token_id=ids["<|notimestamps|>"],
        max_initial_timestamp_index=50,
        suppress_tokens=[number for number in ids.values() if number not in (*speech, end)],
        begin_suppress_tokens=[end],
        max_length=448,
        **settings,
    )
    with torch.no_grad():
        unlikely = [ids[token] for token in (*text, *times) if ids[token] not in speech]
        model.model.decoder.embed_tokens.weight[unlikely] *= 0.1
        leaning = model.model.decoder.layer_norm.bias
        for token in [f"<|{hears}|>"] * bool(hears) + ["<|nospeech|>"] * silent:
            toward = model.model.decoder.embed_tokens.weight[ids[token]]
            leaning += 30 * toward / toward.norm()
    model.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(folder)
    if without:
        weights = load_file(folder / "model.safetensors")
        kept = {name: tensor for name, tensor in weights.items() if without not in name}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
