"""PocketsphinxArguments: flags of --stt pocketsphinx."""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class PocketsphinxArguments:
    """PocketSphinx speech recognition."""

    _argument_group_name: ClassVar[str] = "--stt pocketsphinx"

    stt_grammar: str | None = field(
        default=None,
        metadata={"help": "JSGF grammar file: only its sentences are recognized, almost without errors"},
    )
