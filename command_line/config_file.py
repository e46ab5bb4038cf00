"""config_file: converts a JSON file of settings into flags, and tells mistakes in it by their keys."""

import contextlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from command_line.exclusive import without_replaced
from pipeline.errors import UserError

_FLAG = re.compile(r"--([a-z]\w*)")


def with_config_file(argv: Sequence[str]) -> list[str]:
    """Replace a leading file name by the flags in that file; later flags win. Raises `UserError`."""
    if not _has_file(argv):
        return list(argv)
    settings, typed = read_config_file(Path(argv[0])), argv[1:]
    flags = [f"--{name}={_text(value)}" for name, value in settings.items()]
    return [*without_replaced(flags, typed), *typed]


@contextlib.contextmanager
def naming_the_file(argv: Sequence[str]) -> Iterator[None]:
    """Rewrite a `UserError` about a flag that stands in the file at the front, so that it names the file
    and the key in it: ``config.json: "thresh": expected …``."""
    try:
        yield
    except UserError as error:
        if not _has_file(argv) or (found := _FLAG.search(str(error))) is None:
            raise
        settings = read_config_file(Path(argv[0]))
        typed = {flag.partition("=")[0].lstrip("-").replace("-", "_") for flag in argv[1:]}
        key = next((key for key in settings if key.replace("-", "_") == found[1]), None)
        if key is None or found[1] in typed:
            raise
        text = str(error).replace(found[0], f'"{key}"', 1).replace("no flag", "no setting", 1)
        text = text.replace(f"got {_text(settings[key])!r}", f"got {json.dumps(settings[key])}")
        raise type(error)(f"{argv[0]}: {text}") from error.__cause__


def read_config_file(path: Path) -> dict[str, Any]:
    """The settings in a file, without those that are null. Raises `UserError`."""
    settings = _read_object(path)
    for name, value in settings.items():
        if name.startswith("-"):
            flag = name.partition("=")[0]  # not the rest, which might be a key
            raise UserError(f"{path}: expected {flag.lstrip('-')!r}, without dashes, got {flag!r}")
        # values might be keys, so they are not shown
        if isinstance(value, dict):
            raise UserError(
                f'{path}: "{name}": expected a single value, got an object; settings stand side by '
                'side, as in "llm_model_name"'
            )
        if isinstance(value, list):
            raise UserError(
                f'{path}: "{name}": expected a single value, got a list; several names stand in one '
                'string, as in "kokoro,espeak"'
            )
    return {name: value for name, value in settings.items() if value is not None}


def _has_file(argv: Sequence[str]) -> bool:
    return bool(argv) and not argv[0].startswith("-")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read_object(path: Path) -> dict[str, Any]:
    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name.replace("-", "_") for name, _ in pairs]
        for n, name in enumerate(names):
            if name in names[:n]:
                raise UserError(f'{path}: "{pairs[n][0]}" stands there twice')
        return dict(pairs)

    try:
        text = path.read_text("utf-8-sig")  # some editors start a file with a BOM
        if not text.strip():
            raise UserError(f'{path} is empty: expected settings such as {{"mode": "local"}}')
        settings = json.loads(text, object_pairs_hook=without_duplicates)
    except OSError as error:
        raise UserError(f"{path}: expected a JSON file with settings: {error.strerror}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UserError(f"{path} is not JSON: {where}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not JSON: {error}") from error
    if not isinstance(settings, dict):
        raise UserError(f"{path}: expected an object with settings, got {type(settings).__name__}")
    return settings
