"""Models of the Hugging Face hub: from the folder that was named, the cache, or the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import UserError


def fetch(model_name: str, flag: str, *, files: Sequence[str] | None = None) -> Path:
    """The folder with the files of a model.

    `model_name` is a folder, or a name on the hub; `files` are patterns of what is needed of it, all by
    default. What is in the cache is not asked for on the network; a file that is named without a "*" is,
    where the cache has others of the model only. Raises `UserError`, naming `flag`.
    """
    if Path(model_name).expanduser().is_dir():
        return Path(model_name).expanduser()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    wanted = None if files is None else list(files)
    try:
        folder = Path(snapshot_download(model_name, allow_patterns=wanted, local_files_only=True))
        if all("*" in name or (folder / name).exists() for name in wanted or ()):
            return folder
    except (LocalEntryNotFoundError, ValueError):  # the latter: it cannot be a name on the hub
        pass
    try:
        return Path(snapshot_download(model_name, allow_patterns=wanted))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{flag} {model_name}: it is neither a folder here nor in the cache, and the hub cannot be "
            "reached or does not know it; name a folder, or connect once"
        ) from error


def expect_weights(report: Any, flag: str, model_name: str) -> None:
    """`report` is what ``from_pretrained(..., output_loading_info=True)`` says. Raises `UserError` where
    layers were made up, since a model with such speaks nonsense."""
    if missing := sorted(report["missing_keys"]):
        raise UserError(
            f"{flag} {model_name}: {len(missing)} layers have no weights in it ({missing[0]}, ...), "
            "so it would speak nonsense"
        )
    if mismatched := sorted(report["mismatched_keys"]):
        raise UserError(
            f"{flag} {model_name}: {len(mismatched)} layers have weights of another shape "
            f"({mismatched[0][0]}, ...), so it would speak nonsense"
        )
