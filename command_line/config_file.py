"""config_file: converts a JSON file of settings into flags."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from command_line.exclusive import without_replaced
from pipeline.errors import UserError


def with_config_file(argv: Sequence[str]) -> list[str]:
    """Replace a leading file name by the flags in that file; later flags win. Raises `UserError`."""
    if not argv or argv[0].startswith("-"):
        return list(argv)
    settings, flags = read_config_file(Path(argv[0])), argv[1:]
    return [*without_replaced(settings, flags), *flags]


def read_config_file(path: Path) -> list[str]:
    """Return ``--name=value`` for each setting; null leaves the default. Raises `UserError`."""
    flags = []
    for name, value in _read_object(path).items():
        if name.startswith("-"):
            flag = name.partition("=")[0]  # not the rest, which might be a key
            raise UserError(f"{path}: expected {flag.lstrip('-')!r}, without dashes, got {flag!r}")
        if isinstance(value, (dict, list)):
            kind = type(value).__name__  # its value might be a key, so it is not shown
            raise UserError(f"{path}: {name}: expected a single value, got a {kind}")
        if value is not None:
            flags.append(f"--{name}={str(value).lower() if isinstance(value, bool) else value}")
    return flags


def _read_object(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text("utf-8-sig"))  # some editors start a file with a BOM
    except OSError as error:
        raise UserError(f"{path}: expected a JSON file with settings: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path}: expected an object with settings, got {type(settings).__name__}")
    return settings
