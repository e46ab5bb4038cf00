"""--s2s, or --stt, --llm and --tts: an end-to-end engine takes the place of the three stages."""

from collections.abc import Sequence

from catalog.registry import CASCADE
from pipeline.errors import UserError

_STAGES = (*CASCADE, "s2s")


def named_stages(argv: Sequence[str]) -> set[str]:
    """The stages whose engine these flags name."""
    flags = {argument.partition("=")[0] for argument in argv}
    return {stage for stage in _STAGES if f"--{stage}" in flags}


def replaced_by(named: set[str]) -> set[str]:
    """The stages that cannot be combined with the named ones."""
    if "s2s" in named:
        return set(CASCADE)
    return {"s2s"} if named else set()


def expect_one_kind(argv: Sequence[str]) -> None:
    """Raise `UserError` if these flags name both an end-to-end engine and an engine of a stage that it
    replaces."""
    named = named_stages(argv)
    if beside := [f"--{stage}" for stage in CASCADE if stage in named & replaced_by(named)]:
        raise UserError(
            f"--s2s takes the place of --stt, --llm and --tts; leave out "
            f"{' and '.join(beside)}, or --s2s"
        )


def without_replaced(settings: Sequence[str], flags: Sequence[str]) -> list[str]:
    """The settings of a file, ``--name=value``, without engines that the command line replaces."""
    replaced = replaced_by(named_stages(flags))
    return [each for each in settings if not named_stages([each]) & replaced]
