"""Environments: separate Python environments for engines whose packages conflict with the program's."""

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.errors import UserError

_MARK = "installed.json"
"""Written last, so that an unfinished environment does not count as installed."""


@dataclass(frozen=True, slots=True)
class Sdist:
    """A package that pip cannot build, copied as it is from its source archive."""

    package: str
    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python environment and its contents, as requirements for pip."""

    name: str
    packages: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    """Packages to install last and without dependencies, because those they declare are wrong."""
    sdists: tuple[Sdist, ...] = ()
    checks: tuple[str, ...] = ()
    """Python code that must run in the environment once it is complete."""
    pythons: tuple[str, ...] = ("3.11", "3.12", "3.13")
    """Python versions for which all packages exist."""

    @property
    def folder(self) -> Path:
        """The folder that it is in, or will be."""
        return environments_folder() / self.name

    @property
    def python(self) -> Path:
        """The path of its interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def contents(self) -> str:
        """A description of its contents, for the mark."""
        return json.dumps(asdict(self), indent=1)

    @property
    def installed(self) -> bool:
        """True if it is complete and has the contents that this table lists."""
        mark = self.folder / _MARK
        return mark.is_file() and mark.read_text("utf-8") == self.contents

    def mark(self) -> None:
        """Record that it is complete."""
        (self.folder / _MARK).write_text(self.contents, "utf-8")


ENVIRONMENTS = (
    Environment(
        "parler",
        ("torch>=2.4", "torchaudio", "parler-tts==0.2.3", "transformers==4.46.1"),
        checks=("import parler_tts",),
    ),
    Environment(
        "qwen",
        ("torch>=2.4", "torchaudio", "qwen-tts==0.1.1", "transformers==4.57.3", "accelerate==1.12.0"),
        checks=("import qwen_tts",),
    ),
    Environment(
        # torch needs `codec` from 2.9 on, XTTS the rest; `six` is imported without being declared, and
        # transformers 5.24 renamed the cache that XTTS reads
        "coqui",
        ("torch>=2.4", "torchaudio", "coqui-tts[codec,ja,ko,zh]==0.28.0", "transformers==5.23.0", "six"),
        checks=("from TTS.api import TTS",),
    ),
    # moshi 0.2.13 refuses torch 2.10, numpy 2.3, safetensors 0.8 and huggingface-hub 1, but runs with
    # all of them; the rest that it declares is for its own server and for quantized weights
    Environment(
        "moshi",
        (
            *("torch>=2.4", "numpy>=1.26", "safetensors>=0.4", "huggingface-hub>=0.24"),
            *("einops>=0.7,<0.9", "sentencepiece>=0.2,<0.3"),
        ),
        without_dependencies=("moshi==0.2.13",),
        checks=("from moshi.models import LMGen, loaders",),
    ),
    # melotts 0.1.1 declares packages of 2023 and lacks a file that pip needs to build it. It runs with
    # present versions; each is pinned, because pip searches for over ten minutes otherwise
    Environment(
        "melo",
        (
            *("torch>=2.4", "torchaudio", "transformers==5.23.0", "nltk==3.10.4", "librosa==0.11.0"),
            *("soundfile==0.14.0", "cached-path==1.8.10", "txtsplit==1.0.0", "num2words==0.5.14"),
            *("inflect==7.6.0", "unidecode==1.4.0", "anyascii==0.3.3", "six==1.17.0", "tqdm==4.70.1"),
            *("g2p-en==2.1.0", "eng-to-ipa==0.0.2", "langid==1.1.6", "gruut[de,es,fr]==2.4.0"),
            *("mecab-python3==1.0.12", "unidic-lite==1.0.8", "fugashi==1.5.2", "pykakasi==2.3.0"),
            *("jamo==0.4.1", "g2pkk==0.1.2", "pypinyin==0.55.0", "cn2an==0.5.24", "jieba==0.42.1"),
            *("pydub==0.25.1", "rich==13.9.4", "typer==0.29.2"),
        ),
        sdists=(
            Sdist(
                "melo",
                "https://files.pythonhosted.org/packages/3b/a1/"
                "3f0570d4bf21eb71e862c52920a5ccb54321df5fed5fc56380e80ae091b6/melotts-0.1.1.tar.gz",
                "e1ce679ee827e99b8eeaac5715e432737fa9d00f197139d4c85757464b76d1dd",
            ),
        ),
        checks=("import txtsplit, gruut, MeCab, g2pkk",),
    ),
)


def environments_folder() -> Path:
    """The parent folder of all environments: S2S_ENVIRONMENTS, else one in the user's data folder."""
    if chosen := os.environ.get("S2S_ENVIRONMENTS"):
        return Path(chosen).expanduser()
    import platformdirs  # not at the top: most runs do not need it

    return platformdirs.user_data_path("s2s-pipeline", appauthor=False) / "environments"


def find_environment(name: str) -> Environment:
    """Find an environment by name. Raises `UserError`."""
    for environment in ENVIRONMENTS:
        if environment.name == name:
            return environment
    names = ", ".join(environment.name for environment in ENVIRONMENTS)
    raise UserError(f"--install: expected one of {names}, got {name!r}")


def python_of(environment: str | None) -> str:
    """The path of an environment's interpreter; None: the program's own."""
    return sys.executable if environment is None else str(find_environment(environment).python)
