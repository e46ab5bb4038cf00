"""ConfigFile: a JSON file of settings, as flags, and the names of its settings in errors."""

import contextlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arguments_classes.module_arguments import MODES
from catalog.presets import PRESETS
from catalog.registry import all_specs
from command_line.aliases import older_prefixes
from pipeline.errors import UserError

_FLAG = re.compile(r"(?<![\w-])--([a-z]\w*)(?: ([^\s;,]+?)(?=[;,:]?(?:\s|$)))?")
_TO_TYPE = re.compile(r"((?:type: |(?<![\w-])s2s(?:_pipeline\.py)? (?=[a-z-]))[^;]*)")
"""A command that the user should type, which stays as it is."""


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
        """Rewrite a `UserError` about flags that stand in the file, as `named` does."""
        try:
            yield
        except UserError as error:
            error.args = (self.named(str(error)),)
            raise

    def named(self, text: str) -> str:
        """A sentence about flags, so that it names the file and the keys of those that stand in it:
        ``config.json: "thresh": expected …``."""
        keys = self._keys()
        found: dict[str, None] = {}

        def as_key(flag: re.Match[str]) -> str:
            name, word = flag[1], flag[2] or ""
            key = keys.get(name)
            if key is None:
                return flag[0]
            value = _text(self.settings[key])
            if word and word != value and _names_a_part(name, word):
                return flag[0]  # advice
            found[key] = None
            if word and word == value:
                return f'"{key}": {json.dumps(self.settings[key])}'
            return flag[0].replace(f"--{name}", f'"{key}"', 1)

        parts = _TO_TYPE.split(text)  # every other one is a command
        parts[::2] = [_FLAG.sub(as_key, part) for part in parts[::2]]
        if not found:
            return text
        named = "".join(parts).replace("no flag", "no setting", 1)
        for value in (self.settings[key] for key in found):
            named = named.replace(f"got {_text(value)!r}", f"got {json.dumps(value)}")
        return f"{self.path}: {named}"

    def _keys(self) -> dict[str, str]:
        """The keys by the names of their flags, under which an error may know them."""
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


def _names_a_part(flag: str, word: str) -> bool:
    """True if the word may stand behind the flag: it is an engine, a mode, or a preset."""
    names = {spec.name for spec in all_specs() if spec.stage == flag}
    return word in {"mode": MODES, "preset": PRESETS}.get(flag, names)


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
