"""Downloading models: the real client against a small hub on this machine, in a new process each time,
since the client reads its settings only once."""

import ast
import os
import pty
import random
import re
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import UserError
from testing.hub_server import HubServer
from testing.tiny_models import tiny_chat_model
from tests.command import ROOT
from utils.hub import fetch, size_text

_FETCH = """
import os, sys
from pipeline.errors import UserError
from utils.environment import apply_model_cache_dir
from utils.logs import set_up_logging
apply_model_cache_dir()
set_up_logging("warning", os.environ.get("WRITTEN_AS", "text"))
import utils.hub
utils.hub.ANSWER_S = float(os.environ.get("ANSWER_S", "60"))
try:
    print(utils.hub.fetch(sys.argv[1], "--x_model_name", files=sys.argv[2:] or None))
except UserError as error:
    print(error)
    sys.exit(2)
"""


class Here:
    """A machine whose cache starts empty and whose only server is a hub."""

    def __init__(self, cache: Path, hub: HubServer) -> None:
        self.cache = cache
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("HF_", "MODEL_CACHE"))
        } | {"HF_HOME": str(cache), "HF_ENDPOINT": hub.url}

    def fetch(self, *argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", _FETCH, *argv],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=200,
            check=False,
        )


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model, and a small model without weights."""
    pytest.importorskip("torch", reason="pip install -e '.[transformers]'")
    folder = tmp_path_factory.mktemp("models")
    tiny_chat_model(folder / "tiny" / "chat")
    (folder / "solo" / "sub").mkdir(parents=True)
    (folder / "solo" / "config.json").write_text("{}")
    (folder / "solo" / "sub" / "voice.txt").write_text("hello")
    return folder


@pytest.fixture
def hub(models: Path) -> Iterator[HubServer]:
    with HubServer(models) as server:
        yield server


@pytest.fixture
def here(hub: HubServer, tmp_path: Path) -> Here:
    return Here(tmp_path / "cache", hub)


def got(hub: HubServer) -> list[str]:
    """The files that were requested."""
    return sorted(
        r.rpartition("/")[2] for r in hub.requests if r.startswith("GET ") and "/resolve/" in r
    )


def test_a_model_is_downloaded_once_and_then_nothing_is_asked(hub: HubServer, here: Here) -> None:
    first = here.fetch("tiny/chat")
    assert first.returncode == 0, first.stdout + first.stderr
    assert (Path(first.stdout.strip()) / "model.safetensors").stat().st_size > 400_000
    announced, done = first.stderr.splitlines()
    assert re.fullmatch(rf"  downloading tiny/chat: \d{{3}} kB, into {here.cache}/hub", announced)
    assert re.fullmatch(r"  downloaded tiny/chat: \d{3} kB in \d+ s", done)
    hub.requests.clear()
    second = here.fetch("tiny/chat")
    assert (second.stdout, second.stderr, hub.requests) == (first.stdout, "", [])
    hub.close()
    assert here.fetch("tiny/chat").stdout == first.stdout
    assert here.fetch("tiny/chat", HF_HUB_OFFLINE="1").stdout == first.stdout


def test_only_what_is_wanted(hub: HubServer, here: Here) -> None:
    folder = Path(here.fetch("solo", "*.json").stdout.strip())
    assert [path.name for path in folder.rglob("*.*")] == ["config.json"]
    assert got(hub) == ["config.json"]
    here.fetch("solo")
    assert got(hub) == ["config.json", "voice.txt"]
    refused = here.fetch("solo", "*.gguf")
    assert "--x_model_name solo: expected *.gguf in it, found none" in refused.stdout


def test_a_connection_that_breaks_goes_on_where_it_was(hub: HubServer, here: Here) -> None:
    """The client writes 10 MB at a time, so it has 10 of the 12 MB."""
    (hub.models / "large").mkdir()
    data = random.Random(1).randbytes(16 << 20)
    (hub.models / "large" / "weights.bin").write_bytes(data)
    hub.broken_after["weights.bin"] = 12 << 20
    ended = here.fetch("large")
    assert ended.returncode == 0, ended.stdout
    assert (Path(ended.stdout.strip()) / "weights.bin").read_bytes() == data
    assert got(hub) == ["weights.bin", "weights.bin"]
    assert hub.bytes_sent["weights.bin"] == (16 + 2) << 20


def test_a_hub_that_dies_in_the_middle_and_comes_back(hub: HubServer, here: Here) -> None:
    hub.closes_after["model.safetensors"] = 1 << 16
    ended = here.fetch("tiny/chat")
    assert ended.returncode == 2
    # the other files come at the same time, and may be there or not
    kept = {file.name for file in here.cache.glob("hub/models--*/snapshots/*/*")}
    missing = "only part of it is" if kept else "it is not"
    assert f"tiny/chat: {missing} in" in ended.stdout
    assert "cannot be reached" in ended.stdout
    assert "name a folder that has it, or connect to the network once and add --download" in ended.stdout
    assert len(ended.stdout.splitlines()) == 1
    offline = here.fetch("tiny/chat", HF_HUB_OFFLINE="1")
    assert offline.returncode == 2, "a partial model is not used"
    assert f"tiny/chat: {missing} in" in offline.stdout
    with HubServer(hub.models) as again:
        ended = here.fetch("tiny/chat", HF_ENDPOINT=again.url)
        assert ended.returncode == 0, ended.stdout
        assert "model.safetensors" in got(again)
        assert not {*got(again)} & kept, "the rest was kept"


def test_who_was_killed_in_the_middle_gets_it_the_next_time(hub: HubServer, here: Here) -> None:
    hub.pause_s = 0.05
    ended = threading.Event()
    with subprocess.Popen(
        [sys.executable, "-c", _FETCH, "tiny/chat"],
        env=here.environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while not hub.bytes_sent["model.safetensors"] and running.poll() is None:
            ended.wait(0.01)
        running.kill()
    hub.pause_s = 0
    assert here.fetch("tiny/chat").returncode == 0
    assert here.fetch("tiny/chat", HF_HUB_OFFLINE="1").returncode == 0


def test_a_slow_hub_is_waited_for(hub: HubServer, here: Here) -> None:
    hub.pause_s = 0.05
    assert here.fetch("tiny/chat").returncode == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tiny/none", "has no such model, or it is private; check the name, or log in"),
        ("private/model", "has no such model, or it is private; check the name, or log in"),
        ("tiny/gated", "its owner requires you to accept conditions: do that at http://127.0.0.1"),
        (
            "./no/such/folder",
            "expected a folder that exists, or a name on the hub such as owner/model",
        ),
        ("tiny/huge", "do not fit into"),
    ],
)
def test_a_model_that_is_missing_is_one_sentence(
    tmp_path: Path, name: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model in ("private/model", "tiny/gated", "tiny/huge"):
        (tmp_path / "models" / model).mkdir(parents=True)
        (tmp_path / "models" / model / "config.json").write_text("{}")
    with (tmp_path / "models/tiny/huge/weights.bin").open("wb") as sparse:
        sparse.truncate(1 << 43)  # 8 TB, none of it on disk, nor sent by the hub
    with HubServer(tmp_path / "models") as hub:
        hub.gated, hub.wants_login = {"tiny/gated"}, {"private/model"}
        ended = Here(tmp_path / "cache", hub).fetch(name)
    assert ended.returncode == 2
    assert ended.stdout.startswith(f"--x_model_name {name}: ")
    assert sentence in ended.stdout
    assert "name a folder" in ended.stdout or "expected a folder" in ended.stdout
    assert len(ended.stdout.splitlines()) == 1
    assert "Traceback" not in ended.stderr


def test_who_is_not_there_does_not_answer_or_must_not_be_asked(hub: HubServer, here: Here) -> None:
    forbidden = here.fetch("solo", HF_HUB_OFFLINE="1")
    assert f"it is not in {here.cache}/hub, and HF_HUB_OFFLINE forbids" in forbidden.stdout
    assert hub.requests == []
    hub.silent = True
    assert "cannot be reached (no answer in time)" in here.fetch("solo", ANSWER_S="1").stdout
    hub.close()
    ended = here.fetch("solo")
    assert f"it is not in {here.cache}/hub, and the hub at {hub.url} cannot be reached" in ended.stdout
    for said in (forbidden, ended):
        assert (
            "name a folder that has it, or connect to the network once and add --download" in said.stdout
        )
        assert said.returncode == 2


def test_the_cache_is_where_it_is_wanted(hub: HubServer, here: Here, tmp_path: Path) -> None:
    del here.environment["HF_HOME"]
    folder = here.fetch("solo", MODEL_CACHE_DIR=str(tmp_path / "all")).stdout
    assert folder.startswith(str(tmp_path / "all" / "huggingface"))
    folder = here.fetch(
        "solo", MODEL_CACHE_DIR=str(tmp_path / "all"), HF_HOME=str(tmp_path / "hf")
    ).stdout
    assert folder.startswith(str(tmp_path / "hf"))


@pytest.mark.parametrize("written_as", ["text", "json"])
def test_a_terminal_shows_how_far_it_is_and_a_machine_does_not(
    hub: HubServer, here: Here, written_as: str
) -> None:
    terminal, stderr = pty.openpty()
    termios.tcsetwinsize(stderr, (24, 100))
    environment = here.environment | {"WRITTEN_AS": written_as}
    with subprocess.Popen(
        [sys.executable, "-c", _FETCH, "tiny/chat"],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    ) as running:
        os.close(stderr)
        shown = b""
        try:
            while piece := os.read(terminal, 1 << 16):
                shown += piece
        except OSError:  # the other end of the terminal is closed
            pass
        os.close(terminal)
        assert running.wait(60) == 0
    assert b"downloading tiny/chat" in shown
    assert (b"%|" in shown) == (written_as == "text")


def test_what_an_older_client_left_unfinished_is_not_taken_for_whole(here: Here, hub: HubServer) -> None:
    """Older clients wrote no list of the expected files."""
    folder = Path(here.fetch("tiny/chat").stdout.strip())
    model = folder.parent.parent
    for listing in model.glob("trees/*"):
        listing.unlink()
    assert here.fetch("tiny/chat", HF_HUB_OFFLINE="1").returncode == 0
    (model / "blobs" / "abc.incomplete").write_bytes(b"half")
    assert here.fetch("tiny/chat", HF_HUB_OFFLINE="1").returncode == 2
    (model / "blobs" / "abc.incomplete").unlink()
    index = '{"weight_map": {"a": "model-00001-of-00002.safetensors"}}'
    (folder / "model.safetensors.index.json").write_text(index)
    assert here.fetch("tiny/chat", HF_HUB_OFFLINE="1").returncode == 2


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert fetch(str(tmp_path), "--x_model_name") == tmp_path
    with pytest.raises(UserError, match="expected a folder that exists"):
        fetch(str(tmp_path / "none"), "--x_model_name")


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (720e6, "720 MB"), (7.64e9, "7.6 GB")],
)
def test_sizes_are_for_people(size_bytes: float, text: str) -> None:
    assert size_text(size_bytes) == text


_WATCH = """
import sys
import utils.hub
from utils.progress import DownloadStopped
seen = []
def on_progress(done, size):
    seen.append((done, size))
    if len(sys.argv) > 2 and done > int(sys.argv[2]):
        raise DownloadStopped
try:
    utils.hub.fetch(sys.argv[1], "--x_model_name", on_progress=on_progress)
except DownloadStopped:
    print("stopped")
print(seen)
"""


class TestProgress:
    """A callback in place of what standard error shows."""

    @pytest.fixture
    @staticmethod
    def hub(tmp_path: Path) -> Iterator[HubServer]:
        model = tmp_path / "models" / "large"
        model.mkdir(parents=True)
        (model / "config.json").write_bytes(b"{}")
        (model / "weights.bin").write_bytes(random.Random(1).randbytes(24 << 20))
        with HubServer(tmp_path / "models") as server:
            yield server

    def watch(self, here: Here, *argv: str) -> tuple[str, str]:
        ended = subprocess.run(
            [sys.executable, "-c", _WATCH, "large", *argv],
            env=here.environment,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=200,
            check=False,
        )
        return ended.stdout, ended.stderr

    def test_it_rises_to_the_size_and_nothing_is_printed(self, here: Here) -> None:
        size = (24 << 20) + 2
        printed, told = self.watch(here)
        seen = ast.literal_eval(printed)
        assert told == ""
        assert seen[0] == (0, size)
        assert seen[-1] == (size, size)
        assert seen == sorted(seen)
        assert len({done for done, _ in seen}) > 3

    def test_an_error_that_it_raises_ends_the_download_and_complete_files_are_kept(
        self, hub: HubServer, here: Here
    ) -> None:
        printed, _ = self.watch(here, str(8 << 20))
        assert printed.startswith("stopped\n")
        assert hub.bytes_sent["weights.bin"] < 24 << 20
        printed, _ = self.watch(here)
        first, *_, last = ast.literal_eval(printed)
        assert first == (2, (24 << 20) + 2)
        assert last == ((24 << 20) + 2, (24 << 20) + 2)
