"""Pretrained models of Transformers: loading them, and one sentence for files that cannot be used."""

import math
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from utils.hub import fetch

_UNUSABLE = (
    *(OSError, ValueError, TypeError, KeyError, AttributeError),  # files of another model
    *(RuntimeError, EOFError, pickle.UnpicklingError),  # a .bin file that is cut off
)

NOT_NUMBERS = "have weights that are not numbers"
_FLOATS = ("torch.float32", "torch.float16", "torch.bfloat16")
_NAMED = 3
"""Number of layers that an error names."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """The files of one model: where they are, and how errors name them."""

    folder: Path
    model_name: str
    flag: str
    """The flag that named the model."""
    expected: str
    """The kind of model that is wanted, as in "expected a Whisper model, got …"."""

    def load(self, kind: Any, **settings: Any) -> Any:
        """``kind.from_pretrained(folder, **settings)``: a configuration, a tokenizer, a processor.
        Raises `UserError`."""
        with self._one_sentence():
            return kind.from_pretrained(str(self.folder), **settings)

    def load_model(self, kind: Any, device: str, **settings: Any) -> Any:
        """A model on its device, ready to compute. Raises `UserError`, also for layers whose weights are
        not in the files, of another shape, or not numbers."""
        with self._one_sentence():
            model, report = kind.from_pretrained(
                str(self.folder), output_loading_info=True, ignore_mismatched_sizes=True, **settings
            )
        expect_weights(report, self.flag, self.model_name)
        model = model.to(device).eval()
        expect_numbers(model, self.flag, self.model_name)
        return model

    def refuse(self, got: object) -> UserError:
        """The error for files that contain something else."""
        return UserError(f"{self.flag} {self.model_name}: expected {self.expected}, got {got}")

    @contextmanager
    def _one_sentence(self) -> Iterator[None]:
        from safetensors import SafetensorError

        try:
            yield
        except (*_UNUSABLE, SafetensorError) as error:
            raise self.refuse(str(error) or type(error).__name__) from error


def fetch_pretrained(
    model_name: str, flag: str, expected: str, *, files: Sequence[str] | None = None
) -> Pretrained:
    """The files of a model, see `utils.hub.fetch`. Raises `UserError`."""
    return Pretrained(fetch(model_name, flag, files=files), model_name, flag, expected)


def expect_weights(report: Any, flag: str, model_name: str) -> None:
    """Raise `UserError` for layers that were initialized at random: such a model speaks nonsense.

    `report` is the second result of ``from_pretrained(..., output_loading_info=True)``.
    """
    if missing := sorted(report["missing_keys"]):
        raise nonsense(flag, model_name, missing, "have no weights in it")
    if mismatched := sorted(each[0] for each in report["mismatched_keys"]):
        raise nonsense(flag, model_name, mismatched, "have weights of another shape")


def expect_numbers(model: Any, flag: str, model_name: str) -> None:
    """Raise `UserError` for layers of a PyTorch model whose weights are NaN or infinite, as after a
    training that diverged. Reads the weights once."""
    spoiled = [
        name
        for name, weights in model.named_parameters()
        if weights.numel()
        and str(weights.dtype) in _FLOATS
        and not all(math.isfinite(bound) for bound in weights.detach().aminmax())
    ]
    if spoiled:
        raise nonsense(flag, model_name, spoiled, NOT_NUMBERS)


def differences(wanted: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors of a model that a file lacks, or has in another shape, in the form that
    `expect_weights` accepts."""
    both = [name for name in wanted if name in saved]
    return {
        "missing_keys": wanted.keys() - saved.keys(),
        "mismatched_keys": [(n,) for n in both if tuple(wanted[n].shape) != tuple(saved[n].shape)],
    }


def nonsense(flag: str, model_name: str, layers: Sequence[str], why: str) -> UserError:
    """The error for layers that cannot work, naming the first of them."""
    named = ", ".join(layers[:_NAMED]) + (", ..." if len(layers) > _NAMED else "")
    return UserError(
        f"{flag} {model_name}: {len(layers)} layers {why} ({named}), so its output would be nonsense; "
        "download it again, or choose another"
    )
