"""ConfigFile: a JSON file of settings, as flags, and the names of its settings in errors."""

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalog.registry import AUTO, all_specs
from command_line.aliases import older_prefixes
from pipeline.errors import UserError


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A JSON file, and those of its settings that the command line leaves in effect, by their keys."""

    path: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str) -> "ConfigFile":
        """The file, without settings that are null. Raises `UserError`."""
        return cls(path, _read_settings(Path(path)))

    def only(self, flags: Collection[str]) -> "ConfigFile":
        """The file with only the settings for these flags, such as "--thresh"."""
        kept = {key: value for key, value in self.settings.items() if f"--{_name_of(key)}" in flags}
        return replace(self, settings=kept)

    def flags(self) -> list[str]:
        """The settings as flags."""
        return [f"--{name}={_text(value)}" for name, value in self.settings.items()]

    @contextlib.contextmanager
    def naming(self) -> Iterator[None]:
        """Name the file in a `UserError` about a flag that stands in it, as `named` does."""
        try:
            yield
        except UserError as error:
            error.args = (self.named(str(error)),)
            raise

    def named(self, text: str) -> str:
        """The sentence of a `UserError`. If it is about a flag that stands in the file, it begins with
        the file and the key instead: ``config.json: "thresh": expected …``."""
        begun = self._with_key(text)
        return text if begun == text else f"{self.path}: {begun}"

    def spelled(self, flag: str) -> str:
        """The key in the file that stands for a flag, in quotes; the flag if none does."""
        key = self._keys().get(_name_of(flag))
        return flag if key is None else f'"{key}"'

    def no_such(self, flag: str) -> str:
        """Begin a sentence about a flag, or a key of the file, that nothing knows."""
        name = self.spelled(flag)
        return f"there is no flag {flag}" if name == flag else f"{self.path}: there is no setting {name}"

    def _with_key(self, text: str) -> str:
        """The sentence with a key and its value, as they stand in the file, for the flag in front."""
        flag = text.partition(" ")[0].rstrip(":")
        key = self._keys().get(_name_of(flag)) if flag.startswith("--") else None
        if key is None:
            return text
        rest, value = text.removeprefix(flag), _text(self.settings[key])
        for each in (value, *value.split(",")):  # of several engines, the sentence may be about one
            if rest.startswith((f" {each}:", f" {each} ")):
                written = json.dumps(self.settings[key] if each == value else each)
                rest = rest.removeprefix(f" {each}")
                return f'"{key}": {written}{rest[0]}{self._with_key(rest[1:])}'
        if value == AUTO and not rest.startswith(":"):
            return text  # about the engine that the program chose
        return f'"{key}"{rest}'.replace(f"got {value!r}", f"got {json.dumps(self.settings[key])}")

    def _keys(self) -> dict[str, str]:
        """The keys by the names of their flags, older and current ones."""
        prefixes = {old: new for spec in all_specs() for old, new in older_prefixes(spec).items()}
        keys = {}
        for key in self.settings:
            flag = f"--{_name_of(key)}"
            for old, new in prefixes.items():
                if flag.startswith(old):
                    keys[_name_of(new + flag.removeprefix(old))] = key
            keys[_name_of(key)] = key
        return keys


def _name_of(flag: str) -> str:
    """Name of a flag, or of a key, without its dashes."""
    return flag.removeprefix("--").replace("-", "_")


def _read_settings(path: Path) -> dict[str, Any]:
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
