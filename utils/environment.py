"""The environment variables that the program reads."""

import os
from collections.abc import MutableMapping
from pathlib import Path

VARIABLES = (
    "MODEL_CACHE_DIR",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "HF_ENDPOINT",
    "HF_TOKEN",
    "TORCH_HOME",
    "CUDA_VISIBLE_DEVICES",
    "REPLY_MODE",
    "S2S_TOKEN",
    "S2S_TOKEN_FILE",
    "S2S_ENVIRONMENTS",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
)
"""Shown by `--check`; for secret ones, only whether they are set."""

SECRET = ("S2S_TOKEN", "OPENAI_API_KEY", "HF_TOKEN")

_CACHES = {
    "HF_HOME": "huggingface",
    "TORCH_HOME": "torch",
    "MOONSHINE_VOICE_CACHE": "moonshine",
    "TTS_HOME": "coqui",
}


def apply_model_cache_dir(environment: MutableMapping[str, str] = os.environ) -> None:
    """Make every library keep its models under MODEL_CACHE_DIR, unless its own variable is set.

    Must run before those libraries are imported.
    """
    folder = environment.get("MODEL_CACHE_DIR")
    if folder:
        for variable, name in _CACHES.items():
            environment.setdefault(variable, str(Path(folder).expanduser() / name))
