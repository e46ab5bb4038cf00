"""`python -m catalog.table > docs/engines.md`: the page of all engines, from the catalog."""

import sys
from collections.abc import Iterator, Sequence

from catalog.choice import PREFERRED, Preferred
from catalog.offers import OFFERS
from catalog.presets import PRESETS
from catalog.registry import EngineSpec, Feature, specs
from utils.hub import size_text

TITLES = {
    "stt": "Speech to text",
    "llm": "Language model",
    "tts": "Text to speech",
    "s2s": "Speech to speech, in place of all three",
    "vad": "Voice activity detection",
}

_TOP = """\
# Engines

<!-- Written by `python -m catalog.table > docs/engines.md` from the catalog of each stage
(catalog/stt.py and the others), catalog/presets.py and catalog/choice.py: edit those. -->

Choose an engine with `--stt NAME`, `--llm NAME`, `--tts NAME` or `--s2s NAME`, or several, such as
`--tts kokoro,espeak`: those that this machine lacks are left out, and the next takes over from one that
fails. `--help NAME` explains an engine's flags. Together with the flags that choose it, `--check` says
whether the engine is installed and its model downloaded (`--check all` lists the other engines, too),
`--download` downloads what is missing and exits, and `--list_voices` lists the voices of the chosen
synthesizer or end-to-end engine. To add an engine, read
[adding-an-engine.md](adding-an-engine.md).

- **device**: devices that it can run on; choose with `--device` or with the engine's own flag.
- **license**: license of the code; license of the default weights. For other weights, check it
  yourself.
- **size**: download size of the default model.
- **tested**: the weights that the tests run it with. *Tiny random weights* exercise the same code as
  real ones, but say nothing about quality; *patched*: the package's own way of loading weights had to be
  replaced.
"""

_LANGUAGES = """\
## Languages

Each turn has a language: the one that `--language te` or the client sets; otherwise the one that the
recognizer reports, because it detected it (`--stt whisper --stt_language auto`) or knows no other. The
language model is asked to answer in that language, and the synthesizer picks a voice or a model for it.
An engine that does not know the language uses another one and says so once.

**Telugu**: use `--language te`, or choose one of the voices Arjun (a young man), Ravi (a mature man),
Priya (a young woman) and Lakshmi (a professional woman) with `--tts_voice`. The file
`catalog/people.toml` lists the voice that each synthesizer uses for them; you may edit it. These
recognizers know Telugu: `whisper`, `faster-whisper`, `mlx-whisper`, `whisper-mlx`, `openai`. Only
eSpeak's four voices have been heard. For lack of weights, these have not been tried in Telugu: `parler`
with ai4bharat/indic-parler-tts, `piper`, `mms` (its romanization of Telugu runs in the tests), and all
recognizers; their code runs on tiny random weights.

Clone a voice from a file (`--tts_clone`: pocket, coqui, speecht5) only with the consent of the speaker.
"""

_TOGETHER = """\
## How engines run

- `--tts kokoro,espeak`: if an engine fails or is late before its first output, the next one takes over
  for that answer or sentence, and a notice says so. Both must load at start. The flags of the later
  engine include its name: `--tts_espeak_voice`. This works with `--stt`, `--llm` and `--s2s`, too,
  except for full-duplex models (`moshi`, `realtime`): no other engine could take over in the middle of a
  conversation.
- `--install parler` creates a separate environment for an engine whose packages conflict with the others
  (parler, qwen, coqui, melo, moshi); the engine then runs in a process of its own. All others are extras
  (`pip install -e '.[kokoro-torch]'`) that can be installed together (`'.[engines]'` installs all).
- `--isolate stt,tts` runs the engines of these stages in processes of their own. Servers do so by
  default for engines that spend a long time in Python code, which would delay the audio of every
  session; `--isolate none` prevents it.
- Each engine is loaded once and serves all sessions, first come, first served. `whisper` recognizes
  waiting utterances in batches, `--llm_parallel` lets `--llm transformers` and `--llm llama-cpp`
  generate several answers at once, and engines on MLX take turns.
- Reasoning, end-of-turn marks and function calls that a language model writes into its text are not
  spoken; such a call is carried out if the client has the function. `LLM/marks.py` lists the spellings;
  `--llm_keep_thoughts` leaves the text as it is.
- `--preset`, `--device` and each part's own flags choose models and devices. While a missing model
  downloads, the program shows its size and a progress bar. `HF_HUB_OFFLINE=1` prevents all access to the
  hub.
"""

_COLUMNS = (
    "name", "what it is", "device", "languages", "streams", "license", "to install", "size", "tested"
)  # fmt: skip


_S2S = """\
One model takes the user's speech and answers with speech. **Turn by turn**: the program finds the end of
the user's turn, and the model answers it. **Full duplex**: the model listens while it speaks and takes
turns itself, so there is no voice detector, and flags of one are refused. *Besides speech*, some engines
remember the conversation and accept instructions (`--init_chat_prompt`), answer typed text, call the
client's functions (tools), and write the user's words (*your words*) or the model's (*its words*). If an
engine does not write the words of one side, that side is heard, but not shown as text.
`--s2s` cannot be combined with `--stt`, `--llm` or `--tts`.
"""

_S2S_COLUMNS = (*_COLUMNS[:2], "turns", "besides speech", *_COLUMNS[2:])


def page() -> str:
    """The text of docs/engines.md."""
    return "\n".join((_TOP, *_stages(), *_presets(), *_preferred(), *_offers(), *_sections()))


def _stages() -> Iterator[str]:
    for stage, title in TITLES.items():
        yield f"## {title} (`--{stage}`)\n"
        if stage == "s2s":
            yield _S2S
            yield from _table(_S2S_COLUMNS, [_s2s_cells(spec) for spec in specs(stage)])
        else:
            yield from _table(_COLUMNS, [_cells(spec) for spec in specs(stage)])
        remarks = [f"- **{spec.name}**: {spec.remarks}" for spec in specs(stage) if spec.remarks]
        yield from (*remarks, "") if remarks else ()


def _cells(spec: EngineSpec) -> tuple[str, ...]:
    return (
        f"`{spec.name}`", spec.about, ", ".join(spec.devices), spec.languages, spec.streams,
        spec.license, _to_install(spec), spec.size, spec.tested,
    )  # fmt: skip


def _s2s_cells(spec: EngineSpec) -> tuple[str, ...]:
    turns = "full duplex" if spec.duplex else "turn by turn"
    name, about, *rest = _cells(spec)
    return (name, about, turns, ", ".join(_besides(spec.features)), *rest)


def _besides(features: Sequence[Feature]) -> Iterator[str]:
    """The features, with one word for the text of both sides."""
    both = {"your words", "its words"} <= {*features}
    yield from (each for each in features if not (both and each.endswith("words")))
    if both:
        yield "words of both sides"


def _to_install(spec: EngineSpec) -> str:
    return "" if spec.extra is None and spec.environment is None else f"`{spec.install}`"


def _presets() -> Iterator[str]:
    yield "## Presets (`--preset`)\n"
    yield from _table(
        ("name", "what it is", "to download", "sets"),
        [
            (f"`{name}`", preset.about, preset.size, f"`{preset.flags()}`")
            for name, preset in PRESETS.items()
        ],
    )
    yield "Other flags override a preset. `--local_mac_optimal_settings` is `--preset mac`.\n"


def _preferred() -> Iterator[str]:
    yield "## Without a flag\n"
    yield (
        "Without `--stt` or `--tts`, the program takes the first engine in these lists that is\n"
        "installed, has its whole model in the cache and knows the `--language`. If it takes a model\n"
        "from the hub, it says so at start, with the flag for the built-in engine. Flags of the stage\n"
        "narrow the choice: `--tts_voice af_heart` is one of Kokoro's voices, `--tts_speed` is no flag\n"
        "of eSpeak. If a flag may mean several engines, such as `--stt_model_name`, the program takes\n"
        "the one below that needs no files: Moonshine (else PocketSphinx) or eSpeak. This choice\n"
        "downloads nothing and uses no network. `--llm auto` looks for a server on this machine;\n"
        "without one, a model that one of the offers below has fetched answers, else SmolLM2, or\n"
        "Eliza if that does not load.\n"
        "\n"
        "Piper's built-in voice is used as with `--tts piper,espeak`: eSpeak speaks the languages\n"
        "that Piper lacks, and takes over if Piper fails. If Piper does not load, eSpeak speaks\n"
        "alone. The same holds for Kokoro.\n"
    )
    for stage, engines in PREFERRED.items():
        yield f"- `--{stage}`: {', '.join(map(_preference, engines))}"
    yield ""


def _offers() -> Iterator[str]:
    yield "## Better parts in one step\n"
    yield (
        "Where the program has chosen a part by itself, it offers better ones that run on the machine:\n"
        "press B in the terminal, use the card on the page, or type `s2s get NAME`. The program\n"
        "downloads the model, goes on talking with the new part from the next sentence or answer on,\n"
        "and can go back at once. The part that was there takes over if a new voice, or a server,\n"
        "fails. The next start finds the new part by itself.\n"
    )
    yield from _table(
        ("name", "what it is", "instead of", "to download", "license"),
        [
            (
                f"`{offer.name}`",
                f"{offer.title}: {offer.about}",
                ", ".join(f"`{name}`" for name in offer.instead_of),
                size_text(offer.size_bytes),
                offer.license,
            )
            for offer in OFFERS
        ],
    )


def _preference(engine: Preferred) -> str:
    remarks = [engine.model] if engine.model else []
    remarks += ["its built-in voice, for " + ", ".join(engine.languages)] if engine.embedded else []
    remarks += ["with a GPU"] if engine.accelerated else []
    return f"`{engine.name}`" + (f" ({', '.join(remarks)})" if remarks else "")


def _sections() -> Iterator[str]:
    """The sections written by hand."""
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
