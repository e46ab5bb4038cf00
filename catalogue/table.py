"""`python -m catalogue.table > docs/engines.md`: all engines, from the catalogue."""

import sys
from collections.abc import Iterator, Sequence

from catalogue.choice import PREFERRED, Preferred
from catalogue.presets import PRESETS
from catalogue.registry import EngineSpec, specs

STAGES = {
    "stt": "Speech to text",
    "llm": "Language model",
    "tts": "Text to speech",
    "s2s": "Speech to speech, in the place of all three",
    "vad": "Voice activity",
}

_TOP = """\
# Engines

<!-- Written by `python -m catalogue.table > docs/engines.md` from the catalogue of each stage
(catalogue/stt.py and the others), catalogue/presets.py and catalogue/choice.py: change those. -->

`--stt NAME`, `--llm NAME`, `--tts NAME` or `--s2s NAME` chooses an engine; add `--help` to see its
flags, `--check` to see if it is installed and its model is in the cache, `--download` to download
missing models and exit, `--list_voices` to print the voices of the synthesizer.
`docs/adding-an-engine.md` shows how to add one.

- **device**: the devices that it can use; `--device` and the engine's own flag choose.
- **licence**: of the code; of the default weights. Other weights have licences of their own.
- **size**: of the default model, to download.
- **tested**: the weights with which the tests run it. *Tiny random weights* exercise all of the code
  that real weights do, and say nothing about quality; *patched*: the package's own loading had to be
  replaced.
"""

_LANGUAGES = """\
## Languages

Each turn has a language: the one of `--language te` (or of a client's setting), else the one that the
recognizer reports, detected (`--stt whisper --stt_language auto`) or known. The language model is
asked to answer in it, and the synthesizer picks its voice or model for it. An engine that lacks it
works as usual and says so, once.

**Telugu**: `--language te`, or one of the voices Arjun (a young man), Ravi (a mature man), Priya (a
young woman) and Lakshmi (a professional woman) by `--tts_voice`. `catalogue/people.toml` says how
each synthesizer speaks with them, and may be edited. Recognizers: `whisper`, `faster-whisper`,
`mlx-whisper`, `whisper-mlx`, `openai`. Tested by ear: eSpeak's four. Not tested by ear, since
their weights were not at hand: `parler` with ai4bharat/indic-parler-tts, `piper`, `mms` (whose
romanizing of Telugu runs in the tests), and all recognizers; their code ran on tiny random weights.

A voice is cloned from a file (`--tts_clone`: pocket, coqui, speecht5) only with the consent of the
person who speaks in it.
"""

_TOGETHER = """\
## Several engines, and engines apart

- `--tts kokoro,espeak`: if an engine fails or is late before its first output, the next one takes over,
  answer by answer or sentence by sentence, with a notice. At start both have to load. The flags of
  the later one carry its name: `--tts_espeak_voice`.
- `--install parler` makes an environment of its own for an engine that cannot live beside the
  others (parler, qwen, coqui, melo); it then runs in a process of its own. All others come by extra
  (`pip install -e '.[kokoro]'`) and live beside each other (`'.[engines]'` installs all).
- `--isolate stt,tts` puts any engine into a process of its own; servers do so by themselves with
  engines that compute long in Python, so that audio is not late (`--isolate none` turns this off).
- One loaded engine serves all sessions, first come first served. `whisper` recognizes waiting
  utterances in batches, `--llm_parallel` lets `--llm transformers` answer several at once, engines on
  MLX take turns.
- `--preset`, `--device` and each part's own flags choose models and devices; a model that is
  missing shows its size and a progress bar while it comes. `HF_HUB_OFFLINE=1` keeps everything from
  the network.
"""

_COLUMNS = (
    "name", "what it is", "device", "languages", "streams", "licence", "to install", "size", "tested"
)  # fmt: skip


def page() -> str:
    """The whole of docs/engines.md."""
    return "\n".join((_TOP, *_stages(), *_presets(), *_preferred(), *_sections()))


def _stages() -> Iterator[str]:
    for stage, title in STAGES.items():
        yield f"## {title} (`--{stage}`)\n"
        yield from _table(_COLUMNS, [_cells(spec) for spec in specs(stage)])
        remarks = [f"- **{spec.name}**: {spec.remarks}" for spec in specs(stage) if spec.remarks]
        yield from (*remarks, "") if remarks else ()


def _cells(spec: EngineSpec) -> tuple[str, ...]:
    install = "" if spec.extra is None and spec.environment is None else f"`{spec.install}`"
    devices = ", ".join(spec.devices)
    return (
        f"`{spec.name}`", spec.about, devices, spec.languages, spec.streams, spec.licence, install,
        spec.size, spec.tested,
    )  # fmt: skip


def _presets() -> Iterator[str]:
    yield "## Presets (`--preset`)\n"
    yield from _table(
        ("name", "what it is", "to download", "sets"),
        [
            (f"`{name}`", preset.about, preset.size, f"`{preset.flags()}`")
            for name, preset in PRESETS.items()
        ],
    )
    yield "A JSON file or a flag overrides a preset. `--local_mac_optimal_settings` is `--preset mac`.\n"


def _preferred() -> Iterator[str]:
    yield "## Without a flag\n"
    yield (
        "The first of these engines that is installed and has its complete model in the cache is used;\n"
        "if a flag of the stage is given, the first one without a model. The program says at start if\n"
        "it uses a better engine than the plain one, and which flag chooses the plain one. An engine\n"
        "without the `--language` is left out. Choosing downloads nothing and uses no network.\n"
        "`--llm auto` looks for a server on this machine.\n"
    )
    for stage, engines in PREFERRED.items():
        yield f"- `--{stage}`: {', '.join(map(_preference, engines))}"
    yield ""


def _preference(engine: Preferred) -> str:
    told = [engine.model] if engine.model else []
    told += ["with a GPU"] if engine.accelerated else []
    return f"`{engine.name}`" + (f" ({', '.join(told)})" if told else "")


def _sections() -> Iterator[str]:
    """The remarks written by hand, a section for each subject."""
    yield _LANGUAGES
    yield _TOGETHER


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for cells in lines:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
