"""Files of safetensors: whether they are complete, by their header, without reading the weights."""

import json
from pathlib import Path


def cut_off(folder: Path) -> list[str]:
    """The .safetensors files in a folder whose length is not the one that their header states."""
    return [file.name for file in sorted(folder.rglob("*.safetensors")) if not _is_complete(file)]


def _is_complete(file: Path) -> bool:
    """The layout: eight bytes with the length of the header, the header as JSON, the weights
    (huggingface/safetensors, README)."""
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if length > size:
            return False
        try:
            header = json.loads(opened.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
    return bool(size == 8 + length + max(ends, default=0))
