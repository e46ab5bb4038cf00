"""docs/engines.md is what its command writes."""

import subprocess
import sys

from catalog.presets import PRESETS
from catalog.registry import CASCADE, all_specs
from tests.command import ROOT


def test_the_page_of_the_engines_is_up_to_date() -> None:
    written = subprocess.check_output([sys.executable, "-m", "catalog.table"], cwd=ROOT, text=True)
    page = (ROOT / "docs/engines.md").read_text("utf-8")
    assert page == written, "type: python -m catalog.table > docs/engines.md"
    for name in [*(spec.name for spec in all_specs()), *PRESETS]:
        assert f"| `{name}` |" in page


def test_every_engine_says_what_people_ask_first() -> None:
    for spec in all_specs():
        if spec.stage in CASCADE:
            assert all((spec.languages, spec.license, spec.devices, spec.tested)), spec.name
