"""Damage to saved models: weights that are missing, renamed, of another shape or not numbers."""

import math
from pathlib import Path
from typing import Any

DAMAGES = {
    "missing": "have no weights",
    "renamed": "have no weights",
    "reshaped": "of another shape|size mismatch",
    "not numbers": "not numbers",
}
"""Kind of damage to one layer ▶ pattern of the error for it."""


def damage(file: Path, how: str, layer: str) -> str:
    """Damage the only tensor of a .safetensors or PyTorch file whose name contains `layer` and has at
    least one dimension. Returns its name."""
    import torch
    from safetensors.torch import load_file, save_file

    in_torch = file.suffix != ".safetensors"
    whole: Any = torch.load(file, weights_only=True) if in_torch else load_file(file)
    nests = [value for value in whole.values() if isinstance(value, dict)]
    found = [(nest, name) for nest in nests or [whole] for name in nest if layer in name]
    nest, name = min(found, key=lambda each: each[1])
    tensor = nest.pop(name).clone()
    match how:
        case "renamed":
            nest[f"{name}_of_another"] = tensor
        case "reshaped":
            nest[name] = torch.cat([tensor, tensor])
        case "not numbers":
            tensor.view(-1)[-1] = math.nan
            nest[name] = tensor
    if in_torch:
        torch.save(whole, file)
    else:
        save_file(whole, file, metadata={"format": "pt"})
    return str(name)
