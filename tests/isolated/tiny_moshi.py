"""Writes a tiny Moshi with random weights: Mimi, the model, a tokenizer, the settings."""

import json
from pathlib import Path
from typing import Any

CODES = 64
"""Entries of a codebook."""
VOCABULARY = 300
"""Tokens of text: 256 bytes, letters and a few words."""

_WORDS = "hello world the quick brown fox jumps over lazy dogs while reading books"


def tiny_moshi(folder: Path, **config: Any) -> Path:
    """Save a model in `folder`; `config`: entries of its config.json to be changed."""
    import sentencepiece
    import torch
    from moshi.models import loaders
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder.mkdir(parents=True, exist_ok=True)
    seanet = {**loaders._seanet_kwargs, "dimension": 32, "n_filters": 4}
    quantizer = {
        **{"dimension": 16, "n_q": 16, "bins": CODES},
        **{"input_dimension": 32, "output_dimension": 32},
    }
    transformer = {
        **loaders._transformer_kwargs,
        **{"d_model": 32, "num_heads": 2, "num_layers": 1, "dim_feedforward": 64},
        **{"input_dimension": 32, "output_dimensions": [32]},
        "layer_scale": 1.0,  # or attention, and so its state, would hardly matter
    }
    mimi_config = {
        **{"sample_rate": 24000, "channels": 1, "frame_rate": 12.5, "seanet": seanet},
        **{"quantizer": quantizer, "transformer": transformer},
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([_WORDS] * 20),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=VOCABULARY,
        hard_vocab_limit=False,
        byte_fallback=True,
        pad_id=3,
        minloglevel=2,
    )
    tokenizer = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer.model"))
    model_config = {
        **loaders._lm_kwargs,
        **{"dim": 64, "text_card": tokenizer.vocab_size(), "card": CODES, "context": 100},
        **{"num_heads": 4, "num_layers": 2, "depformer_dim": 32, "depformer_dim_feedforward": 64},
        **{"depformer_num_heads": 2, "depformer_num_layers": 1},
    }
    mimi = loaders.get_mimi(None, mimi_config)
    _fill_codebooks(mimi)
    model = loaders.get_moshi_lm(None, model_config, dtype=torch.float32)
    _save(mimi, folder / "mimi.safetensors", save_file)
    _save(model, folder / "model.safetensors", save_file)
    names = {
        **{"moshi_name": "model.safetensors", "mimi_name": "mimi.safetensors"},
        **{"mimi_config_name": "mimi.json", "tokenizer_name": "tokenizer.model"},
    }
    (folder / "mimi.json").write_text(json.dumps(mimi_config))
    (folder / "config.json").write_text(json.dumps({**model_config, **names, **config}))
    return folder


def _fill_codebooks(mimi: Any) -> None:
    """Distribute the codebook entries, which are all zero in a new model, like the latents of audio;
    otherwise all audio would have the same codes."""
    import torch

    loudness = torch.linspace(0, 0.5, 24000).repeat(4)
    with torch.no_grad():
        latents = mimi.encode_to_latent((loudness * torch.randn(96000))[None, None], quantize=False)
        for part in (mimi.quantizer.rvq_first, mimi.quantizer.rvq_rest):
            projected = part.input_proj(latents)[0]
            mean, spread = projected.mean(1), projected.std(1)
            for level, layer in enumerate(part.vq.layers):
                entries = layer._codebook.embedding_sum
                entries.copy_(torch.randn_like(entries) * spread + (mean if level == 0 else 0))


def _save(module: Any, file: Path, save_file: Any) -> None:
    save_file({name: part.contiguous().clone() for name, part in module.state_dict().items()}, file)
