"""A tiny ChatTTS with random weights, and its sizes; the package knows only those of the real one."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

_MARKS = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] [Sasr] [Pasr] [Easr] [Stts] [Ptts] [Etts] [Sbreak] [Pbreak] "
    "[Ebreak] [uv_break] [v_break] [lbreak] [llbreak] [undefine] [laugh] [test] [spk_emb] [empty_spk] "
    "[music] [pure] [break_0] [break_1] [speed_5]"
)


def tiny_chattts(folder: Path) -> Any:
    """Write its files; returns the configuration that fits them."""
    import torch
    from ChatTTS import model as models
    from ChatTTS.config import Config
    from ChatTTS.config.config import (
        DVAE,
        GPT,
        Backbone,
        BackboneInitArgs,
        Decoder,
        Embed,
        FourierHead,
        FourierHeadInitArgs,
    )
    from ChatTTS.config.config import Vocos as VocosConfig
    from safetensors.torch import save_file
    from transformers import BertTokenizerFast, LlamaConfig, LlamaModel
    from vocos import Vocos
    from vocos.pretrained import instantiate_class

    torch.set_num_threads(1)  # with more they wait for each other where the machine is busy
    torch.manual_seed(0)
    asset = folder / "asset"
    (asset / "gpt").mkdir(parents=True)
    marks, letters = _MARKS.split(), "abcdefghijklmnopqrstuvwxyz"
    words = [*marks, *letters, *".,?!'", *(f"##{letter}" for letter in letters)]
    tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(words)})
    tokenizer.add_special_tokens({"additional_special_tokens": marks[5:]})
    tokenizer.save_pretrained(asset / "tokenizer")
    texts = len(tokenizer)

    def part(idim: int, odim: int) -> Decoder:
        return Decoder(idim=idim, odim=odim, hidden=16, n_layer=1, bn_dim=8)

    config = Config(
        decoder=part(384, 384),
        dvae=DVAE(encoder=part(512, 1024), decoder=part(512, 512)),
        gpt=GPT(intermediate_size=64, num_hidden_layers=1, num_text_tokens=texts),
        embed=Embed(num_text_tokens=texts),
        vocos=VocosConfig(
            backbone=Backbone(init_args=BackboneInitArgs(dim=16, intermediate_dim=16, num_layers=1)),
            head=FourierHead(init_args=FourierHeadInitArgs(dim=16)),
        ),
    )

    def save(model: torch.nn.Module, name: str) -> None:
        weights = {key: weight.contiguous().clone() for key, weight in model.state_dict().items()}
        save_file(weights, asset / f"{name}.safetensors")

    vocos = asdict(config.vocos)
    names = ("feature_extractor", "backbone", "head")
    save(Vocos(**{name: instantiate_class((), vocos[name]) for name in names}), "Vocos")
    cpu, dvae = torch.device("cpu"), asdict(config.dvae)
    whole = models.DVAE(
        decoder_config=dvae["decoder"],
        encoder_config=dvae["encoder"],
        vq_config=dvae["vq"],
        dim=config.dvae.decoder.idim,
        coef=None,
        device=cpu,
    )
    save(whole, "DVAE")
    decoder = asdict(config.decoder)
    save(models.DVAE(decoder_config=decoder, dim=384, coef=None, device=cpu), "Decoder")
    embed = models.Embed(768, 626, texts, 4)
    for head in embed.head_code:  # the last code ends it: never among the 20 likeliest, so not by chance
        torch.nn.init.constant_(head.parametrizations.weight.original0[-1], 1e-6)
    save(embed, "Embed")
    llama = LlamaConfig(
        vocab_size=texts,
        hidden_size=768,
        intermediate_size=64,
        num_attention_heads=12,
        num_hidden_layers=1,
        max_position_embeddings=4096,
    )
    LlamaModel(llama).save_pretrained(asset / "gpt")
    return config
