"""The version of the program, which stands in pyproject.toml alone."""

from pathlib import Path

_FILE = Path(__file__).parent.parent / "pyproject.toml"


def program_and_version() -> str:
    """Name and version as `--version` prints them, for example "s2s-pipeline 0.1.0"."""
    import tomllib  # not above: hardly ever needed

    project = tomllib.loads(_FILE.read_text("utf-8"))["project"]
    return f"{project['name']} {project['version']}"
