"""Models of the Hugging Face hub: from the folder that was named, the cache, or the network."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import UserError


def fetch(
    model_name: str, flag: str, *, files: Sequence[str] | None = None, repo_type: str = "model"
) -> Path:
    """The folder with the files of a model.

    `model_name` is a folder, or a name on the hub; `files` are patterns of what is needed of it, all by
    default. What is in the cache is not asked for on the network; a file that is named without a "*" is,
    where the cache has others of the model only. `repo_type` is "dataset" for a set of data. Raises
    `UserError`, naming `flag`.
    """
    if Path(model_name).expanduser().is_dir():
        return Path(model_name).expanduser()
    from huggingface_hub import snapshot_download

    wanted = None if files is None else list(files)
    named = [name for name in wanted or () if "*" not in name]
    reason: Exception | None = None
    for offline in (True, False):
        try:
            folder = Path(
                snapshot_download(
                    model_name, repo_type=repo_type, allow_patterns=wanted, local_files_only=offline
                )
            )
        except (OSError, ValueError) as error:  # the latter: it cannot be a name on the hub
            reason = error
            continue
        if all((folder / name).exists() for name in named):  # without a network it gives what there is
            return folder
    raise UserError(
        f"{flag} {model_name}: it is neither a folder here nor in the cache, and the hub cannot be "
        "reached or does not know it; name a folder, or connect once"
    ) from reason


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
