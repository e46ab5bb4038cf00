"""A tiny Kokoro with random weights, and a stand-in for spaCy's English model."""

import json
import warnings
from pathlib import Path

_LETTERS = " ;:,.!?abdefhijklmnoprstuvwxzæðŋɑɔəɛɜɡɪɹʃʊʌʒˈˌːθᵊᵻAIOWYʤʧ"
_CONFIG = {
    "vocab": {letter: number + 1 for number, letter in enumerate(_LETTERS)},
    "n_token": 178,
    "hidden_dim": 512,  # the decoder has this number, and the other 512, written into it
    "style_dim": 128,
    "n_layer": 1,
    "max_dur": 10,
    "dropout": 0.1,
    "text_encoder_kernel_size": 5,
    "n_mels": 80,
    "plbert": {
        "hidden_size": 64,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 512,
        "num_hidden_layers": 1,
        "embedding_size": 32,
        "dropout": 0.1,
    },
    "istftnet": {
        "resblock_kernel_sizes": [1],
        "upsample_rates": [5, 3, 2, 2],
        "upsample_initial_channel": 512,
        "resblock_dilation_sizes": [[1, 3, 5]],
        "upsample_kernel_sizes": [9, 5, 4, 4],
        "gen_istft_n_fft": 20,
        "gen_istft_hop_size": 5,
    },
}
VOICES = ("af_heart", "am_adam", "bf_emma", "ef_dora", "em_alex", "jf_alpha")


def tiny_kokoro(folder: Path) -> Path:
    """config.json, a .pth and voices, as on the hub."""
    import torch
    from kokoro import KModel

    torch.set_num_threads(1)  # with more they wait for each other where the machine is busy
    torch.manual_seed(0)
    (folder / "voices").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(_CONFIG))
    torch.save({}, folder / "kokoro.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = KModel("tiny", str(folder / "config.json"), str(folder / "kokoro.pth"))
    durations = model.predictor.duration_proj.linear_layer
    torch.nn.init.zeros_(durations.weight)
    torch.nn.init.constant_(durations.bias, -2.2)  # 25 ms a phoneme: long texts are slow
    parts = ("bert", "bert_encoder", "predictor", "decoder", "text_encoder")
    torch.save({part: getattr(model, part).state_dict() for part in parts}, folder / "kokoro.pth")
    for voice in VOICES:
        torch.save(torch.randn(510, 1, 256) * 0.1, folder / "voices" / f"{voice}.pt")
    return folder


def blank_english(folder: Path) -> Path:
    """A package that calls itself en_core_web_sm and knows no grammar, to be put on sys.path."""
    package, about = folder / "en_core_web_sm", folder / "en_core_web_sm-3.8.0.dist-info"
    package.mkdir(parents=True)
    about.mkdir()
    (package / "__init__.py").write_text(
        "import spacy\n\n\ndef load(**settings):\n    return spacy.blank('en')\n"
    )
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: en_core_web_sm\nVersion: 3.8.0\n")
    return folder
