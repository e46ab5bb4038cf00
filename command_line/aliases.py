"""Aliases: older prefixes of an engine's flags, such as --lm_ for those of --llm transformers."""

from collections.abc import Iterable, Sequence

from catalog.registry import EngineSpec


def older_prefixes(spec: EngineSpec) -> dict[str, str]:
    """Map older prefixes, with their dashes, to the current one."""
    return {f"--{alias}": f"--{spec.stage}_" for alias in spec.aliases if alias.endswith("_")}


def without_aliases(argv: Sequence[str], chosen: Iterable[EngineSpec]) -> list[str]:
    """Replace older prefixes of the chosen engines' flags by the current ones."""
    prefixes = {old: new for spec in chosen for old, new in older_prefixes(spec).items()}
    translated = []
    for argument in argv:
        for old, new in prefixes.items():
            if argument.startswith(old):
                argument = new + argument.removeprefix(old)
        translated.append(argument)
    return translated
