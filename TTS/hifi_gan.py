"""HiFi-GAN (Kong et al., arXiv 2010.05646), trained by Microsoft for SpeechT5: mel spectra ▶ audio."""

from typing import Any

from transformers import SpeechT5HifiGan

from utils.pretrained import fetch_pretrained

HIFI_GAN = "microsoft/speecht5_hifigan"


def load_hifi_gan(model_name: str, flag: str, device: str) -> Any:
    """Load the vocoder: log-mel spectra (frames, 80) ▶ audio at 16 kHz. Raises `UserError`, naming
    `flag`."""
    files = ["*.json", "*.bin", "*.safetensors"]
    vocoder = fetch_pretrained(model_name, flag, "SpeechT5HifiGan", files=files)
    return vocoder.load_model(SpeechT5HifiGan, device)
