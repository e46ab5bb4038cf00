"""A tiny Qwen2.5-Omni with random weights, built and saved by the tests."""

import json
from pathlib import Path
from typing import Any

VOICES = ("Chelsie", "Ethan")

_TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message.role != 'system' %}<|im_start|>system\n"
    "You are a helpful assistant.<|im_end|>\n{% endif %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

_SPECIAL = (
    *("<|im_start|>", "<|endoftext|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"),
    *("<|IMAGE|>", "<|VIDEO|>", "<|vision_bos|>", "<|vision_eos|>"),
)


def tiny_qwen_omni(
    folder: Path, *, without: str = "", brief: bool = False, template: str | None = _TEMPLATE
) -> Path:
    """Save a model with one layer in each part, two speakers, and a tokenizer trained here.

    Its answers are nonsense that depends on the audio, as long as the limit allows; with `brief`, it
    always says "!" and then ends. `without`: weights to omit; `template`: its chat template.
    """
    import torch
    from safetensors.torch import load_file, save_file
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2_5OmniConfig,
        Qwen2_5OmniForConditionalGeneration,
        WhisperFeatureExtractor,
    )

    torch.set_num_threads(1)  # more threads wait for each other on a busy machine
    torch.manual_seed(0)
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(["hello how are you today", "tell me a story about a dog"] * 50, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=trained, eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": list(_SPECIAL)})
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    sound = WhisperFeatureExtractor(feature_size=128, chunk_length=300).to_dict()
    pictures = {"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 14, "merge_size": 2}
    (folder / "preprocessor_config.json").write_text(json.dumps(sound | pictures))
    model = Qwen2_5OmniForConditionalGeneration(Qwen2_5OmniConfig(**_config(tokenizer)))
    with torch.no_grad():
        for name, parameter in model.thinker.named_parameters():
            if parameter.ndim > 1 and not name.startswith("visual"):
                torch.nn.init.xavier_normal_(parameter, gain=2.0)
        model.thinker.get_input_embeddings().weight.normal_(0, 1.0)
        model.thinker.lm_head.weight.normal_(0, 1.0)
        for token, number in tokenizer.get_vocab().items():
            if not (token.isascii() and token.isalpha()):
                model.thinker.lm_head.weight[number] = 0
        for parameter in model.token2wav.code2wav_bigvgan_model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.xavier_normal_(parameter, gain=0.75)
        model.talker.codec_head.weight[[8292, 8294]] = 0  # the ends of speech, of which none is likely
        if brief:
            model.thinker.lm_head.weight.zero_()  # the first token is the likeliest: the end
            ends = torch.randn(32)  # of two, one is likely, whatever the sign
            model.talker.codec_head.weight[8292], model.talker.codec_head.weight[8294] = ends, -ends
            model.talker.codec_head.weight[[8292, 8294]] *= 100
    model.save_pretrained(folder)
    speakers = {
        name: {"cond": torch.randn(1, 16), "ref_mel": torch.randn(1, 50, 80), "bos_token": 5}
        for name in VOICES
    }
    torch.save(speakers, folder / "spk_dict.pt")
    if without:
        weights = load_file(folder / "model.safetensors")
        kept = {name: tensor for name, tensor in weights.items() if without not in name}
        save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _config(tokenizer: Any) -> dict[str, Any]:
    """The smallest configuration that the library takes."""
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in ("AUDIO", "IMAGE", "VIDEO")}
    marks = {
        "audio_token_index": ids["AUDIO"],
        "image_token_index": ids["IMAGE"],
        "video_token_index": ids["VIDEO"],
        "audio_start_token_id": tokenizer.convert_tokens_to_ids("<|audio_bos|>"),
        "audio_end_token_id": tokenizer.convert_tokens_to_ids("<|audio_eos|>"),
        "vision_start_token_id": tokenizer.convert_tokens_to_ids("<|vision_bos|>"),
        "vision_end_token_id": tokenizer.convert_tokens_to_ids("<|vision_eos|>"),
    }
    size = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "rope_scaling": {"mrope_section": [2, 3, 3], "rope_type": "default", "type": "default"},
    }
    return {
        "enable_audio_output": True,
        "thinker_config": {
            "text_config": {"vocab_size": len(tokenizer), "max_position_embeddings": 2048, **size},
            "audio_config": {
                "d_model": 32,
                "encoder_attention_heads": 2,
                "encoder_ffn_dim": 64,
                "encoder_layers": 1,
                "output_dim": 32,
                "n_window": 100,
            },
            "vision_config": {
                "depth": 1,
                "hidden_size": 32,
                "out_hidden_size": 32,
                "intermediate_size": 64,
                "num_heads": 2,
                "fullatt_block_indexes": [0],
            },
            "pad_token_id": 0,
            **marks,
        },
        "talker_config": {
            "vocab_size": 8448,
            "embedding_size": 32,
            "head_dim": 16,
            "tts_text_start_token_id": 10,
            "tts_text_end_token_id": 11,
            "tts_text_pad_token_id": 12,
            "tts_codec_start_token_id": 8293,
            "tts_codec_end_token_id": 8294,
            "tts_codec_pad_token_id": 8292,
            "tts_codec_mask_token_id": 8296,
            **size,
            **marks,
        },
        "token2wav_config": {
            "dit_config": {
                "hidden_size": 32,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "ff_mult": 2,
                "emb_dim": 16,
                "head_dim": 16,
                "num_embeds": 8448,
                "mel_dim": 80,
                "enc_emb_dim": 16,
                "enc_dim": 16,
                "enc_channels": [16, 16, 16, 16, 48],
                "enc_attention_channels": 8,
                "enc_res2net_scale": 2,
                "enc_se_channels": 8,
                "look_ahead_layers": [1],
                "look_backward_layers": [0],
            },
            "bigvgan_config": {
                "mel_dim": 80,
                "upsample_initial_channel": 64,
                "resblock_kernel_sizes": [3],
                "resblock_dilation_sizes": [[1, 3, 5]],
                "upsample_rates": [5, 3, 2, 2, 2, 2],
                "upsample_kernel_sizes": [11, 7, 4, 4, 4, 4],
            },
        },
    }
