"""The flags of --s2s moshi."""

from typing import Any

import pytest

from arguments_classes.moshi_arguments import MoshiArguments
from command_line.parse import parse_command_line
from pipeline.errors import UserError


@pytest.mark.parametrize("name", ["moshiko", "moshika"])
def test_the_models_of_kyutai_have_short_names(name: str) -> None:
    arguments = parse_command_line(["--s2s", "moshi", "--s2s_model_name", name])
    (engine,) = arguments.engines["s2s"]
    assert engine.settings["model_name"] == f"kyutai/{name}-pytorch-bf16"


def test_other_names_stay_as_they_are() -> None:
    assert MoshiArguments("someone/moshi").s2s_model_name == "someone/moshi"


@pytest.mark.parametrize(
    ("flag", "value"),
    [("sessions", 0), ("sessions", 65), ("temperature", -1.0), ("text_temperature", 6.0)],
)
def test_a_value_that_makes_no_sense_is_told(flag: str, value: Any) -> None:
    with pytest.raises(UserError, match=f"--s2s_{flag}: expected"):
        MoshiArguments(**{f"s2s_{flag}": value})
