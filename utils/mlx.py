"""MLX, Apple's library: its lock, and a look at the weights of a model."""

import threading
from collections.abc import Mapping
from typing import Any

from utils.pretrained import NOT_NUMBERS, nonsense

MLX_LOCK = threading.Lock()
"""MLX runs one computation at a time, so engines that share it take turns."""


def expect_numbers(weights: Mapping[str, Any], flag: str, model_name: str) -> None:
    """Raise `UserError` for layers with weights that are NaN or infinite."""
    import mlx.core as mx

    spoiled = [
        name
        for name, array in weights.items()
        if mx.issubdtype(array.dtype, mx.floating) and not mx.isfinite(array).all()
    ]
    if spoiled:
        raise nonsense(flag, model_name, spoiled, NOT_NUMBERS)
