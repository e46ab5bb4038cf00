"""Pretrained models of Transformers: loading them, and one sentence for files that cannot be used."""

import pickle
from collections.abc import Iterator, Sequence
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
        """A model on its device, ready to compute. Raises `UserError`, also for layers that have no
        weights in the files."""
        with self._one_sentence():
            model, report = kind.from_pretrained(str(self.folder), output_loading_info=True, **settings)
        expect_weights(report, self.flag, self.model_name)
        return model.to(device).eval()

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
        raise UserError(
            f"{flag} {model_name}: {len(missing)} layers have no weights in it ({missing[0]}, ...), "
            "so its output would be nonsense"
        )
    if mismatched := sorted(report["mismatched_keys"]):
        raise UserError(
            f"{flag} {model_name}: {len(mismatched)} layers have weights of another shape "
            f"({mismatched[0][0]}, ...), so its output would be nonsense"
        )
