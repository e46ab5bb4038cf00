"""Fixtures of the tests of language models."""

from collections.abc import Iterator

import pytest

from testing.speech_server import SpeechServer


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with SpeechServer() as running:
        yield running
