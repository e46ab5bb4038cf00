"""`--list_voices`: the voices of the chosen synthesizer, or of the end-to-end engine."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, TypeAlias

from catalog.people import people_of
from command_line.flag_rows import row
from engines.loader import load_stage
from pipeline.engine_info import DuplexInfo, LiveInfo, ResponderInfo, SynthesizerInfo
from pipeline.language import ANY, base_of, english_name
from utils.installation import typed

if TYPE_CHECKING:
    from command_line.arguments import Arguments
    from command_line.chosen import ChosenEngine

Info: TypeAlias = SynthesizerInfo | ResponderInfo | DuplexInfo | LiveInfo

OTHER = "Other languages"

_PART_OF_THE_MODEL = "{}: the voice is part of the model; for another, choose another --s2s_model_name"


def list_voices(arguments: "Arguments") -> int:
    """Load the engine that speaks and print its voices: on a terminal a paragraph for each language of
    each engine, elsewhere a line for each voice. Returns 0; raises `UserError`."""
    stage = "tts" if "tts" in arguments.engines else "s2s"
    spec = arguments.engines[stage][0].spec
    if spec.duplex and "remote" not in spec.devices:
        print(_PART_OF_THE_MODEL.format(spec.name))  # loading gigabytes would tell no more
        return 0
    engine, choices = load_stage(arguments, stage)
    with closing(engine):
        info: Info = engine.info
        each: list[Info] = [one.info for one in (engine.engines if len(choices) > 1 else [engine])]
    if not info.voices:
        print(without_voices(info, stage))
        return 0
    if not sys.stdout.isatty():
        print(*for_programs(info), sep="\n")
        return 0
    width = shutil.get_terminal_size().columns
    for choice, own in zip(choices, each, strict=True):
        print(*of_engine(own, choice, width), "", sep="\n")
    other = typed("voices NAME", f"python s2s_pipeline.py --list_voices --{stage} NAME")
    engines = typed(f"--help {stage}", f"python s2s_pipeline.py --help {stage}")
    print(f"For those of another engine: {other}; all engines: {engines}")
    return 0


def for_programs(info: Info) -> Iterator[str]:
    """Two columns: the name of the voice, and its language if that is known."""
    spoken, width = _spoken(info), max(map(len, info.voices))
    for voice in info.voices:
        yield f"{voice:<{width}}  {_described(spoken[voice])}" if voice in spoken else voice


def of_engine(info: Info, choice: "ChosenEngine", width: int) -> Iterator[str]:
    """The voices of one engine for people, under the flag that chooses one."""
    if not info.voices:
        yield without_voices(info, choice.spec.stage)
        return
    flags = choice.spec.argument_class()
    named = hasattr(flags, f"{choice.spec.stage}_voice")  # else they are numbers
    flag = "voice NAME" if named else "speaker_id N"
    yield f"The voices of {choice.spec.name}: --{choice.prefix}{flag}"
    yield from for_people(info, set(people_of(choice.spec.name)), width)


def for_people(info: Info, people: set[str], width: int) -> Iterator[str]:
    """The voices of each language in a paragraph; people come first, then languages by name."""
    spoken, groups = _spoken(info), dict[str, list[str]]()
    for voice in sorted(info.voices, key=lambda voice: voice not in people):
        groups.setdefault(_language(spoken[voice]) if voice in spoken else "", []).append(voice)
    otherwise = "Others" if spoken else _languages_of(info) or "Voices"
    for language in sorted(groups, key=lambda name: (name in ("", OTHER), name)):
        voices = (_with_region(voice, spoken.get(voice)) for voice in groups[language])
        yield from row(language or otherwise, ", ".join(voices), width)


def without_voices(info: Info, stage: str) -> str:
    """A sentence about an engine without voices to choose from."""
    flag = f"--{stage}_voice"
    if isinstance(info, LiveInfo) or info.host is not None:
        where = f" at {info.host}" if info.host else ""
        return (
            f"{info.name}: the server{where} has its own voices and does not list them; {flag} NAME "
            "chooses one, and without it the server does"
        )
    if isinstance(info, DuplexInfo):
        return _PART_OF_THE_MODEL.format(info.name)
    languages = _languages_of(info)
    return f"{info.name} has one voice" + (f"; its languages: {languages}" if languages else "")


def _spoken(info: Info) -> Mapping[str, str]:
    return info.voice_languages if isinstance(info, SynthesizerInfo) else {}


def _languages_of(info: Info) -> str:
    codes = () if isinstance(info, (DuplexInfo, LiveInfo)) else info.languages
    return ", ".join("any" if code == ANY else english_name(code) for code in codes)


def _language(code: str) -> str:
    """Name of the language without its region; OTHER for one that has no name."""
    name = english_name(base_of(code))
    return OTHER if name.startswith("Unknown") or name == base_of(code) else name


def region_of(code: str) -> str:
    """English name of the region in a code: "en-gb-scotland" ▶ "United Kingdom". Empty if there is none,
    or the language is not spoken there: eSpeak's "ca-va" is Valencian, not the Vatican's Catalan."""
    from babel import Locale
    from babel.languages import get_territory_language_info

    language, *parts = code.split("-")
    region = next((part.upper() for part in parts[:1] if len(part) == 2 or part.isdecimal()), "")
    if not region.isdecimal() and language not in get_territory_language_info(region):
        return ""
    return str(Locale("en").territories.get(region, ""))


def _described(code: str) -> str:
    region = region_of(code)
    return f"{english_name(base_of(code))} ({region})" if region else english_name(base_of(code))


def _with_region(voice: str, code: str | None) -> str:
    """The voice, and its region if the voice is that of the region: "en-gb (United Kingdom)"."""
    region = region_of(code) if code == voice and voice.count("-") == 1 else ""
    return f"{voice} ({region})" if region else voice
