"""docs/engines.md is what its command writes."""

import subprocess
import sys

from catalog.presets import PRESETS
from catalog.registry import EngineSpec, all_specs
from catalog.table import _s2s_cells
from tests.command import ROOT


def test_the_page_of_the_engines_is_up_to_date() -> None:
    written = subprocess.check_output([sys.executable, "-m", "catalog.table"], cwd=ROOT, text=True)
    page = (ROOT / "docs/engines.md").read_text("utf-8")
    assert page == written, "type: python -m catalog.table > docs/engines.md"
    for name in [*(spec.name for spec in all_specs()), *PRESETS]:
        assert f"| `{name}` |" in page


def test_every_engine_says_what_people_ask_first() -> None:
    for spec in all_specs():
        if spec.stage != "vad":
            assert all((spec.languages, spec.license, spec.devices, spec.tested)), spec.name


def test_an_end_to_end_engine_says_what_it_has_besides_speech() -> None:
    duplex = EngineSpec(
        "s2s", "d", "a model", "m:M", duplex=True, features=("your words", "tools", "its words")
    )
    assert _s2s_cells(duplex)[2:4] == ("full duplex", "tools, words of both sides")
    by_turns = EngineSpec("s2s", "t", "a model", "m:M", features=("its words",))
    assert _s2s_cells(by_turns)[2:4] == ("turn by turn", "its words")
