"""A real browser, with a spoken file as its microphone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import connections.access.client_registry
from pipeline.audio import resample
from tests.connections.web.browser import ALLOWED, FLAGS, QUESTION, launch
from tests.speech import silence, spoken


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user who asks the same question every seven seconds."""
    said = np.concatenate((silence(1000), spoken(QUESTION), silence(4000)))
    path = tmp_path_factory.mktemp("microphone") / "said.wav"
    soundfile.write(path, resample(said, 16000, 48000), 48000, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        yield driver.chromium


@pytest.fixture(scope="module")
def started_browser(chromium: Any, microphone: Path) -> Iterator[Any]:
    flags = [*FLAGS, ALLOWED, f"--use-file-for-fake-audio-capture={microphone}"]
    browser = launch(chromium, flags)
    yield browser
    browser.close()


@pytest.fixture
def browser(started_browser: Any) -> Iterator[Any]:
    """A browser without anything of the test before."""
    yield started_browser
    for context in started_browser.contexts:
        context.close()


@pytest.fixture(autouse=True)
def patient_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page comes back in time on a busy machine, too."""
    monkeypatch.setattr(connections.access.client_registry, "GRACE_S", 120.0)


@pytest.fixture
def mistakes() -> Iterator[list[str]]:
    """The errors of a page, of which there must be none at the end of the test."""
    mistakes: list[str] = []
    yield mistakes
    assert mistakes == []
