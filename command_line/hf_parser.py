"""HfArgumentParser, without the rest of transformers, which takes 0.6 s to import."""

import importlib.util
import os
from pathlib import Path
from typing import Any


def _load() -> Any:
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")  # else it warns that torch is missing
    package = importlib.util.find_spec("transformers")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'transformers'", name="transformers")
    file = Path(package.origin).with_name("hf_argparser.py")
    spec = importlib.util.spec_from_file_location("hf_argparser", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (ImportError, OSError):  # a release in which it needs the rest, or is elsewhere
        from transformers import HfArgumentParser

        return HfArgumentParser
    return module.HfArgumentParser


HfArgumentParser: Any = _load()
