"""`python -m catalogue.table > docs/engines.md`: the engines that there are, from the menus."""

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

<!-- Written by `python -m catalogue.table > docs/engines.md` from the menus of the stages
(catalogue/stt.py and the others), catalogue/presets.py and catalogue/choice.py: change those. -->

`--stt NAME`, `--llm NAME`, `--tts NAME` or `--s2s NAME` chooses; `--help` beside it shows its flags,
`--check` whether it is installed and its model here, `--download` gets what is missing and ends,
`--list_voices` prints the voices of the chosen synthesizer. `docs/adding-an-engine.md` adds one.

- **device**: where it can run; `--device` and a part's own flag choose.
- **licence**: of the code; of the weights. Read that of other weights than the default ones yourself.
- **size**: of the model that is the default, to download.
- **tested**: what the tests run it with. *Tiny random weights* go through all of the code that real ones
  do, and say nothing of quality; *patched*: the package's own way to its weights had to be replaced.
"""

_LANGUAGES = """\
## Languages

What is spoken travels with each turn: `--language te` (or a client's setting), else what the
recognizer says, detected (`--stt whisper --stt_language auto`) or known. The language model is
asked to answer in it, and the synthesizer picks its voice or model for it. Who does not have it
works as usual and says so, once.

**Telugu**: `--language te`, or one of the voices Arjun (a young man), Ravi (a mature man), Priya (a
young woman) and Lakshmi (a professional woman) by `--tts_voice`. `catalogue/people.toml` says how
each synthesizer speaks with them, and may be edited. Recognizers: `whisper`, `faster-whisper`,
`mlx-whisper`, `whisper-mlx`, `openai`. Heard for real: eSpeak's four. Not heard, for want of
weights where this was written: `parler` with ai4bharat/indic-parler-tts, `piper`, `mms` (whose
romanizing of Telugu runs in the tests), and all recognizers; their code ran on tiny random weights.

A voice is cloned from a file (`--tts_clone`: pocket, coqui, speecht5) only with the consent of who
is heard in it.
"""

_TOGETHER = """\
## Several engines, and engines apart

- `--tts kokoro,espeak`: the next takes over, answer by answer or sentence by sentence, where one
  fails or is late before its first output; told in a notice. At start both have to load. The flags of
  the later one carry its name: `--tts_espeak_voice`.
- `--install parler` makes an environment of its own for an engine that cannot live beside the
  others (parler, qwen, coqui, melo); it then runs in a process of its own. All others come by extra
  (`pip install -e '.[kokoro]'`) and live beside each other (`'.[engines]'` installs all).
- `--isolate stt,tts` puts any engine into a process of its own; servers do so by themselves with
  those that compute long in Python, so that nobody's audio is late (`--isolate none`: not).
- One loaded engine serves all sessions, first come first served. `whisper` recognises in batches
  what waits together, `--llm_parallel` lets `--llm transformers` answer several at once, engines on
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
    yield "What a JSON file or a flag says wins. `--local_mac_optimal_settings` is `--preset mac`.\n"


def _preferred() -> Iterator[str]:
    yield "## Without a flag\n"
    yield (
        "Of these the first is taken that is installed and whose model lies whole in the cache; with\n"
        "a flag of the stage, the first one without a model. A better one is told at start, with the\n"
        "flag for the plain one; one that does not have the `--language` is left out. Nothing is\n"
        "downloaded to choose, and no network asked. `--llm auto` looks for a server on this machine.\n"
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
