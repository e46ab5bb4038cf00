"""A tiny SeamlessM4T v2 with random weights, built and saved by the tests."""

import json
from pathlib import Path

from testing.tiny_recognizers import SYLLABLES

SPOKEN = ("arb", "cmn", "eng", "fra", "swh", "tgl")
"""Languages that the model speaks."""

WRITTEN = (*SPOKEN, "isl")
"""Languages that the model writes."""

SPEAKERS = 3


def tiny_seamless(
    folder: Path, *, without: str = "", silent: bool = False, words: int = 6, whole: bool = True
) -> Path:
    """Save a model with one layer in each part, as on the hub: with the encoder of text, which speech
    does not need, and maps of languages in generation_config.json.

    It says nonsense of `words` syllables that depends on the audio: an untouched random model would
    output only special tokens. `without`: weights to omit; `silent`: each translation ends before its
    first word; `whole`: a translation ends by itself, not at the limit of tokens.
    """
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import (
        SeamlessM4TFeatureExtractor,
        SeamlessM4TTokenizer,
        SeamlessM4Tv2Config,
        SeamlessM4Tv2Model,
    )

    torch.set_num_threads(1)  # more threads wait for each other on a busy machine
    torch.manual_seed(0)
    special = ["<pad>", "<unk>", "<s>", "</s>"]
    languages = [f"__{language}__" for language in WRITTEN]
    ids = {token: number for number, token in enumerate([*special, *SYLLABLES])}
    tokenizer = SeamlessM4TTokenizer(vocab=ids, merges=[], additional_special_tokens=languages)
    tokenizer.save_pretrained(folder)
    SeamlessM4TFeatureExtractor().save_pretrained(folder)
    text = {language: len(ids) + number for number, language in enumerate(WRITTEN)}
    letters = ["<pad>", "<unk>", "<s>", "</s>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    config = SeamlessM4Tv2Config(
        vocab_size=len(ids) + len(WRITTEN),
        char_vocab_size=len(letters),
        t2u_vocab_size=60,
        unit_hifi_gan_vocab_size=60,
        vocoder_num_langs=len(SPOKEN),
        vocoder_num_spkrs=SPEAKERS,
        speech_encoder_layers=1,
        speech_encoder_attention_heads=2,
        speech_encoder_intermediate_size=32,
        hidden_size=32,
        encoder_layers=1,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=32,
        t2u_encoder_layers=1,
        t2u_encoder_attention_heads=2,
        t2u_encoder_ffn_dim=32,
        t2u_decoder_layers=1,
        t2u_decoder_attention_heads=2,
        t2u_decoder_ffn_dim=32,
        t2u_variance_predictor_embed_dim=32,
        t2u_variance_predictor_hidden_dim=16,
        upsample_initial_channel=32,
        unit_embed_dim=16,
        lang_embed_dim=8,
        spkr_embed_dim=8,
    )
    model = SeamlessM4Tv2Model(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            hears = name.startswith(("speech_encoder", "text_decoder"))
            if parameter.ndim > 1 and (hears or name.startswith("vocoder.hifi_gan")):
                torch.nn.init.xavier_normal_(parameter, gain=2.0 if hears else 1.0)
            elif name.startswith("vocoder.hifi_gan"):
                parameter.zero_()  # or the audio would be constant
        model.shared.weight.normal_(0, 1.0)
        model.t2u_model.lm_head.weight.normal_(0, 1.0)
        model.t2u_model.lm_head.weight[:4] = 0  # special tokens stand for no sound
        model.vocoder.unit_embedding.weight.normal_(0, 1.0)
        model.vocoder.hifi_gan.conv_post.weight *= 10
        model.vocoder.dur_predictor.proj.bias.fill_(1.6)  # some 80 ms for each sound
    model.save_pretrained(folder)
    settings = {
        "decoder_start_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
        "max_new_tokens": words + 1,
        "min_new_tokens": words,
        "suppress_tokens": [*range(3), *text.values()],
        "text_decoder_lang_to_code_id": text,
        "t2u_lang_code_to_id": {language: number for number, language in enumerate(SPOKEN)},
        "vocoder_lang_code_to_id": {language: number for number, language in enumerate(SPOKEN)},
        "id_to_text": {str(number): token for token, number in ids.items()},
        "char_to_id": {letter: number for number, letter in enumerate(letters)},
    }
    if whole:
        settings["forced_eos_token_id"] = 3
    if silent:
        settings["min_new_tokens"] = 0
        settings["suppress_tokens"] = [number for number in range(config.vocab_size) if number != 3]
    (folder / "generation_config.json").write_text(json.dumps(settings))
    if without:
        weights = load_file(folder / "model.safetensors")
        kept = {name: tensor for name, tensor in weights.items() if without not in name}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
