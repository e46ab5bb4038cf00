"""Each engine says on which device it computes; the source is read, since few engines are installed."""

import ast
from collections.abc import Iterator

import pytest

from catalog.registry import EngineSpec, all_specs
from tests.command import ROOT

USUAL, SERVER = "'cpu'", "''"


def infos(module: str) -> Iterator[ast.Call]:
    """The calls that make the `EngineInfo` of a file, or of those of the bases of its classes."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    own = [
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.Call) and ast.unparse(each.func).endswith("Info") and each.keywords
    ]
    yield from own
    if not own:
        classes = [each for each in tree.body if isinstance(each, ast.ClassDef)]
        bases = {ast.unparse(base) for each in classes for base in each.bases}
        for line in tree.body:
            if isinstance(line, ast.ImportFrom) and bases & {name.name for name in line.names}:
                yield from infos(str(line.module))


@pytest.mark.parametrize(
    "spec",
    [spec for spec in all_specs() if spec.stage != "vad" and spec.name != "none"],
    ids=lambda spec: f"{spec.stage} {spec.name}",
)
def test_the_device_is_that_of_the_catalog(spec: EngineSpec) -> None:
    """Empty for a server; the usual one, so unwritten, if there is no choice; else what was chosen."""
    made = list(infos(spec.module.partition(":")[0]))
    assert made
    for call in made:
        fields = {field.arg: ast.unparse(field.value) for field in call.keywords}
        device = fields.get("device", USUAL)
        if "remote" in spec.devices:
            assert device == SERVER
        elif spec.devices == ("cpu",):
            assert device == USUAL
        else:
            assert device not in (USUAL, SERVER)
