"""The instructions of the documents, carried out."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio import from_pcm16, resample, to_pcm16
from tests.command import ROOT, run, tracked
from tests.speech import RATE_HZ, silence, spoken

QUESTION = "What is the weather like in London today?"


@pytest.fixture
def question(tmp_path: Path) -> Path:
    path = tmp_path / "question.wav"
    soundfile.write(path, np.concatenate((silence(300), spoken(QUESTION), silence(300))), RATE_HZ)
    return path


@pytest.mark.slow
def test_the_example_of_a_config_file(question: Path, tmp_path: Path) -> None:
    settings = json.loads((ROOT / "config.example.json").read_text())
    output = tmp_path / "reply.wav"
    flags = ("--llm", "eliza", "--tts", "espeak", "--input", str(question), "--output", str(output))
    ended = run("config.example.json", *flags)
    assert ended.returncode == 0, ended.stderr
    assert output.exists()
    assert "weather" in ended.stdout
    assert {"mode", "input", "thresh", "stt", "llm", "tts"} <= settings.keys()


class Copy:
    """A copy of the program, in which the Python blocks of a page are carried out."""

    def __init__(self, folder: Path, page: str) -> None:
        self.folder = folder
        for name in tracked("*"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.lines: list[str] = []
        """Blocks that are not a file, in order."""
        for block in re.findall(r"```python\n(.*?)\n```", (ROOT / page).read_text("utf-8"), re.S):
            named = re.match(r"# (\S+\.py)\n", block)
            if named:
                (folder / named[1]).write_text(f"{block}\n")
            else:
                self.lines.append(block)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a passage that a file has once."""
        text = (self.folder / name).read_text("utf-8")
        assert text.count(old) == 1, f"{name}: expected {old!r} once"
        (self.folder / name).write_text(text.replace(old, new), "utf-8")

    def do(self, *command: str) -> str:
        """Run a command in Python; its output."""
        ended = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


def similarity(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The largest correlation of two recordings over all delays; 1: they are the same."""
    length = len(one) + len(other)
    products = np.fft.irfft(np.fft.rfft(one, length) * np.conj(np.fft.rfft(other, length)))
    return float(products.max() / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.slow
def test_adding_an_engine_word_for_word(question: Path, tmp_path: Path) -> None:
    """In a copy of the program: the page's files, row, contract and command."""
    copy = Copy(tmp_path / "program", "docs/adding-an-engine.md")
    row, *s2s_rows = copy.lines
    copy.edit("catalog/tts.py", "CATALOG = (", f"CATALOG = (\n{row},")
    copy.edit("catalog/s2s.py", "CATALOG = (", f"CATALOG = (\n{','.join(s2s_rows)},")
    copy.do("-m", "pytest", "tests/test_beeper.py", "tests/test_parrot_and_echo.py")
    assert "--tts_beep_ms" in copy.do("s2s_pipeline.py", "--tts", "beeper", "--help")
    output = tmp_path / "beeps.wav"
    flags = ("--llm", "eliza", "--tts", "beeper", "--tts_pitch", "1000", "--output", str(output))
    copy.do("s2s_pipeline.py", "--mode", "file", "--input", str(question), *flags)
    beeps, rate_hz = soundfile.read(output)
    spectrum = np.abs(np.fft.rfft(beeps))
    assert np.argmax(spectrum) * rate_hz / len(beeps) == pytest.approx(1000, abs=10)
    said, _ = soundfile.read(question)
    for engine in ("parrot", "echo"):
        output = tmp_path / f"{engine}.wav"
        files = ("--input", str(question), "--output", str(output))
        copy.do("s2s_pipeline.py", "--mode", "file", "--s2s", engine, *files)
        repeated, rate_hz = soundfile.read(output)
        assert similarity(said, resample(repeated.astype(np.float32), rate_hz, RATE_HZ)) > 0.9


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")
def test_adding_a_connection_word_for_word(question: Path, tmp_path: Path) -> None:
    """In a copy of the program: the page's files, lines, test and command."""
    copy = Copy(tmp_path / "program", "docs/adding-a-connection.md")
    flag, row, case = copy.lines
    importing = "from arguments_classes.unix_socket_arguments import UnixSocketArguments\n"
    first_import = "from arguments_classes.websocket_arguments import"

    def replace(name: str, old: str, new: Callable[[str], str]) -> None:
        (found,) = set(re.findall(old, (copy.folder / name).read_text("utf-8"), re.M))
        copy.edit(name, found, new(found))

    replace("arguments_classes/module_arguments.py", r"Mode: TypeAlias = Literal\[.*?\]", lambda _: flag)
    (modes,) = (
        name
        for name in tracked("command_line/*.py")
        if re.search("^MODES = {", (ROOT / name).read_text("utf-8"), re.M)
    )
    indented = re.sub("^(?=.)", " " * 8, case, flags=re.M)
    for name in (modes, "s2s_pipeline.py"):
        copy.edit(name, first_import, f"{importing}{first_import}")
    copy.edit(modes, "MODES = {\n", f"MODES = {{\n    {row}\n")
    replace("s2s_pipeline.py", r"^        case FileArguments\(.*$", lambda found: f"{indented}\n{found}")

    copy.do("-m", "pytest", "tests/test_unix_socket.py")
    assert "--unix_path" in copy.do("s2s_pipeline.py", "--mode", "unix", "--help")
    samples, _ = soundfile.read(question, dtype="float32")
    path = str(tmp_path / "s2s.sock")
    command = (
        "s2s_pipeline.py",
        "--mode",
        "unix",
        "--unix_path",
        path,
        "--llm",
        "eliza",
        "--tts",
        "espeak",
    )
    with (
        subprocess.Popen(
            [sys.executable, *command], cwd=copy.folder, stderr=subprocess.PIPE, text=True
        ) as server,
        socket.socket(socket.AF_UNIX) as client,
    ):
        try:
            assert server.stderr is not None
            assert any("clients connect to" in line for line in server.stderr), "it did not start"
            client.connect(path)
            client.sendall(to_pcm16(samples))
            client.shutdown(socket.SHUT_WR)
            reply = from_pcm16(b"".join(iter(lambda: client.recv(4096), b"")))
        finally:
            server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    assert np.abs(reply).max() > 0.1
    assert server.returncode == 130


def test_every_dependency_is_explained() -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    required = re.findall(r"^([a-z0-9-]+)[=><]", (ROOT / "requirements.txt").read_text(), re.M)
    assert len(required) > 10
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = {re.split(r"[\[=><; ]", package)[0] for name in extras for package in extras[name]}
    for package in {*required, *optional, "silero-vad"} - {"s2s-pipeline"}:
        assert package in page, package


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", tracked("*.md"))
def test_links_lead_to_something(page: str) -> None:
    """Every link within the repository: the file is there, and so is the heading."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for link in links:
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in anchors(target), f"{page}: {link}"


def test_the_readme_names_what_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", readme, re.M):
        assert f"\n{target}:" in makefile
    for path in re.findall(r"`((?:docs|benchmarks)/[\w.-]*)`", readme):
        assert (ROOT / path).exists(), path
    for command in ("make talk", "make check"):
        assert command in readme
        assert re.search(rf"^(timeout \d+ )?{command}\b", (ROOT / ".ci/run").read_text(), re.M), (
            "CI runs both"
        )


def test_the_example_speaks(tmp_path: Path) -> None:
    file = tmp_path / "spoken.wav"
    ended = subprocess.run(
        [sys.executable, "examples/speak.py", "Hello there.", str(file)], cwd=ROOT, check=False
    )
    assert ended.returncode == 0
    assert soundfile.info(file).duration > 0.5


EXAMPLES = tracked("examples/*.py")


def run_example(example: str, *argv: str, python: tuple[str, ...] = ()) -> tuple[int, str]:
    """The exit code of an example, and all that it writes."""
    ended = subprocess.run(
        [sys.executable, *python, example, *argv],
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_says_what_to_type(example: str) -> None:
    code, told = run_example(example, "--help")
    assert (code, told.partition(" ")[0]) == (0, "usage:")
    code, told = run_example(example)
    assert code == 2
    assert "the following arguments are required" in told
    code, told = run_example(example, "--help", python=("-S", "-E"))  # without any package
    assert code == 1
    assert "; type: pip install " in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("example", [name for name in EXAMPLES if "client" in name])
def test_a_client_without_a_recording_or_a_server_says_so(example: str, tmp_path: Path) -> None:
    code, told = run_example(example, "README.md", "answer.wav")
    assert (code, told) == (
        1,
        "README.md: expected a WAV file: file does not start with RIFF id\n",
    )
    question = tmp_path / "question.wav"
    soundfile.write(question, [0.0] * 2400, 24000)
    with socket.socket() as probe:  # bound, not listening: no server answers there
        probe.bind(("127.0.0.1", 0))
        url = f"{'ws' if 'websocket' in example else 'http'}://127.0.0.1:{probe.getsockname()[1]}/v1"
        code, told = run_example(example, str(question), "answer.wav", url)
    assert (code, told) == (1, f"{url}: no server answers; start one with: s2s serve\n")
