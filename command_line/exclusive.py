"""Parts that exclude each other: --s2s, or --stt, --llm and --tts; and settings of a file that the
command line replaces, with the parts that they belong to."""

from collections.abc import Mapping, Sequence

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.vad_arguments import VADArguments
from catalog.presets import PRESETS, Preset
from catalog.registry import CASCADE, specs
from command_line.aliases import older_prefixes
from command_line.arguments import MODES
from command_line.config_file import ConfigFile
from command_line.flag_names import flag_names, flags_of
from pipeline.errors import UserError

_STAGES = (*CASCADE, "s2s")


def file_and_flags(argv: Sequence[str]) -> tuple[ConfigFile, list[str]]:
    """The JSON file in front of the flags, if there is one, less the settings that the flags replace;
    and the flags. Raises `UserError`."""
    if not argv or argv[0].startswith("-"):
        return ConfigFile(), list(argv)
    file, typed = ConfigFile.read(argv[0]), argv[1:]
    kept = {*flag_names(without_replaced(file.flags(), typed))} - {*flag_names(typed)}
    return file.only(kept), [*typed]


def named_stages(argv: Sequence[str]) -> set[str]:
    """The stages whose engine these flags name."""
    return named_parts(argv).keys() & {*_STAGES}


def named_parts(argv: Sequence[str]) -> Mapping[str, str]:
    """The mode, the preset and the engines that these flags name, such as {"mode": "local", "tts":
    "kokoro"}."""
    named = {}
    for n, argument in enumerate(argv):
        flag, equals, value = argument.partition("=")
        part = flag.removeprefix("--")
        if flag.startswith("--") and part in ("mode", "preset", *_STAGES):
            named[part] = value if equals else next(iter(argv[n + 1 : n + 2]), "")
    return named


def replaced_by(named: set[str]) -> set[str]:
    """The stages that cannot be combined with the named ones."""
    if "s2s" in named:
        return set(CASCADE)
    return {"s2s"} if named else set()


def expect_one_kind(argv: Sequence[str], file: ConfigFile) -> None:
    """Raise `UserError` if these flags, some of them from the file, name both an end-to-end engine and
    an engine of a stage that it replaces."""
    named, spelled = named_stages(argv), file.spelled
    if beside := [spelled(f"--{stage}") for stage in CASCADE if stage in named & replaced_by(named)]:
        stt, llm, tts = (spelled(f"--{stage}") for stage in CASCADE)
        raise UserError(
            f"--s2s takes the place of {stt}, {llm} and {tts}; leave out {' and '.join(beside)}, or "
            f"{spelled('--s2s')}"
        )


def without_replaced(settings: Sequence[str], flags: Sequence[str]) -> list[str]:
    """The settings of a file, ``--name=value``, without those that the flags replace: those that a
    preset sets; and those of parts that are no longer there, which are a stage that an end-to-end engine
    replaces, or the reverse; another engine of a stage; another mode."""
    before, now = named_parts(settings), named_parts(flags)
    preset = _preset_of(now, flags)
    if preset is not None:
        now = {**preset.engines, **now}
    changed = {part for part in before.keys() & now.keys() if before[part] != now[part]}
    stages = {stage for stage in _STAGES if stage in changed} | replaced_by(now.keys() & {*_STAGES})
    begins = tuple(f"--{stage}_" for stage in stages)
    for spec in (spec for stage in stages for spec in specs(stage)):
        begins += tuple(older_prefixes(spec))
    names = {flag for stage in stages for flag in (f"--{stage}", f"--failover_{stage}_s")}
    if "mode" in changed and {before["mode"], now["mode"]} <= MODES.keys():
        names |= {*flags_of(MODES[before["mode"]])} - {*flags_of(MODES[now["mode"]])}
    if preset is not None:
        names |= {f"--{name}" for name in (*preset.choices(), *preset.settings)}
    if "s2s" in now:
        names |= _useless_to(now["s2s"])
    return [
        each
        for each, flag in zip(settings, flag_names(settings), strict=True)
        if flag not in names and not flag.startswith(begins)
    ]


def _preset_of(named: Mapping[str, str], flags: Sequence[str]) -> Preset | None:
    """The preset that flags name, less what others of them replace; None: none, or an unknown one."""
    mac = "--local_mac_optimal_settings" in flag_names(flags)
    preset = PRESETS.get("mac" if mac else named.get("preset", ""))
    return None if preset is None else preset.without(replaced_by(named.keys() & {*_STAGES}))


def _useless_to(names: str) -> set[str]:
    """The flags of everything that these end-to-end engines do without."""
    rows = {name: spec for spec in specs("s2s") for name in (spec.name, *spec.aliases)}
    chosen = [rows[name.strip()] for name in names.split(",") if name.strip() in rows]
    flags: set[str] = set()
    if all("conversation" not in spec.features for spec in chosen):
        flags |= {*flags_of(ChatArguments)}
    if any(spec.duplex for spec in chosen):
        flags |= {*flags_of(VADArguments), "--vad", "--reply_mode"}
        flags |= {"--language"} if "--chat_size" in flags else set()
    return flags
