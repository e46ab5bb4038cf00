"""The command line: parses the flags (and a JSON file) into `Arguments`.

The flags of a part are known only once the part is chosen, so the command line is parsed twice: first
for the parts alone, then for the parts and the flags of each.
"""

from collections.abc import Sequence

from arguments_classes.chat_arguments import ChatArguments
from arguments_classes.chat_server_arguments import ChatServerArguments
from arguments_classes.failover_arguments import FailoverArguments
from arguments_classes.module_arguments import ModuleArguments
from arguments_classes.vad_arguments import VADArguments
from catalog.presets import Preset, find_preset
from command_line.aliases import without_aliases
from command_line.arguments import MODES, Arguments
from command_line.chosen import Candidates, choose_engines, engine_settings
from command_line.config_file import ConfigFile
from command_line.exclusive import expect_one_kind, file_and_flags, named_stages, replaced_by
from command_line.help_pages import HelpPages
from command_line.mistakes import expect_effect, expect_no_word, expect_waits, unknown_argument
from command_line.parser import Parser
from command_line.words import asks_help
from pipeline.errors import UserError
from utils.installation import program


def parse_command_line(argv: Sequence[str]) -> Arguments:
    """Parse ``[config.json] [flags]``; flags win over the file. Raises `UserError`; --help exits."""
    if argv:
        expect_no_word(argv[0])
    file, typed = file_and_flags(argv)
    with file.naming():
        return _parse([*file.flags(), *typed], file)


def _parse(argv: Sequence[str], file: ConfigFile) -> Arguments:
    module, preset = _choose_parts(argv, file)
    helps = program() == "s2s" and asks_help(argv)  # that command fetches them at its first start
    chosen = choose_engines(module, argv, all_fetched=helps)
    expect_effect(module, argv, chosen)
    argv = without_aliases(argv, [candidates[0].spec for candidates in chosen.values()])
    parser = _parser(module, chosen, preset)
    parsed, unknown = parser.parse(argv)
    if unknown:
        raise UserError(unknown_argument(unknown[0], parser.flags, chosen, file))
    expect_waits(parsed[ModuleArguments], parsed[MODES[module.mode]])
    return Arguments(
        module=parsed[ModuleArguments],
        vad=parsed.get(VADArguments) or VADArguments(),
        chat=parsed.get(ChatArguments) or ChatArguments(),
        mode=parsed[MODES[module.mode]],
        engines={
            stage: tuple(each.with_flags(parsed) for each in candidates)
            for stage, candidates in chosen.items()
        },
        auto=engine_settings("llm", parsed.get(ChatServerArguments)),
        failover=parsed.get(FailoverArguments) or FailoverArguments(),
        file=file,
    )


def _choose_parts(argv: Sequence[str], file: ConfigFile) -> tuple[ModuleArguments, Preset | None]:
    """The parts that the user names, completed by the preset, if there is one."""
    expect_one_kind(argv, file)
    parser = Parser([ModuleArguments])
    module: ModuleArguments = parser.parse(argv)[0][ModuleArguments]
    preset = find_preset(module.preset, mac=module.local_mac_optimal_settings)
    if preset is not None:
        preset = preset.without(replaced_by(named_stages(argv)))
        parser.set_defaults(**preset.choices())
        module = parser.parse(argv)[0][ModuleArguments]
    return module, preset


def _parser(module: ModuleArguments, chosen: Candidates, preset: Preset | None) -> Parser:
    """A parser of the parts and the flags of each; a preset, or an automatic choice, sets defaults."""
    classes = [*_common_flags(module, chosen), *_engine_flags(chosen)]
    parser = Parser(classes, lambda parser, topic: HelpPages(parser, preset, chosen).page(topic))
    if program() == "s2s":  # without a word it talks
        parser.set_defaults(mode=module.mode)
    if preset is not None:
        parts = {stage: getattr(module, stage) for stage in preset.engines}
        parser.set_defaults(**preset.choices(), **preset.settings_for(parts))
    for each in (each for candidates in chosen.values() for each in candidates):
        if each.choice.model is not None:
            parser.set_defaults(**{f"{each.prefix}model_name": each.choice.model})
    return parser


def _common_flags(module: ModuleArguments, chosen: Candidates) -> list[type]:
    classes: list[type] = [ModuleArguments, MODES[module.mode]]
    if "vad" in chosen:
        classes.append(VADArguments)
    if "s2s" not in chosen or any(each.keeps_chat for each in chosen["s2s"]):
        classes.append(ChatArguments)
    if "s2s" not in chosen and "llm" not in chosen:
        classes.append(ChatServerArguments)
    if any(len(candidates) > 1 for candidates in chosen.values()):
        classes.append(FailoverArguments)
    return classes


def _engine_flags(chosen: Candidates) -> list[type]:
    flags = [each.flags for candidates in chosen.values() for each in candidates]
    return [each for each in flags if each is not None]
