"""Uploads that would harm the machine, or the other clients of the server."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.requests import Request

from connections.access.http_body import body_of
from connections.access.http_errors import BadParameter
from connections.access.http_form import MAX_HEAD, form_of
from connections.openai_audio.dictation import Dictation
from connections.openai_audio.recording import SentSound
from pipeline.errors import ProtocolError
from pipeline.messages import Samples
from pipeline.settings import EndpointerSettings
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from STT.base import Recognizer
from testing.fakes import LoudnessDetector, LoudnessRecognizer
from tests.speech import RATE_HZ


def test_a_list_of_files_makes_the_server_open_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    soundfile.write(tmp_path / "secret.wav", np.zeros(RATE_HZ, np.float32), RATE_HZ)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadParameter, match="expected sound"):
        list(SentSound(b"ffconcat version 1.0\nfile secret.wav\n", RATE_HZ))


def test_a_recording_is_read_no_further_once_its_client_has_left() -> None:
    cancel, read = CancelToken(), 0

    def hours_of_silence() -> Iterator[Samples]:
        nonlocal read
        for read in itertools.count(1):
            if read == 3:
                cancel.cancel()
            assert read < 10
            yield np.zeros(RATE_HZ, np.float32)

    recognizer: SharedEngine[Recognizer] = SharedEngine(LoudnessRecognizer())
    dictation = Dictation(recognizer, LoudnessDetector(), EndpointerSettings(), None)
    assert list(dictation.segments(hours_of_silence(), cancel)) == []
    assert read == 3


def test_the_headers_of_a_part_are_short() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n%s\r\n\r\n1\r\n--x--'
    boundary = "multipart/form-data; boundary=x"
    assert form_of(boundary, body % b"y: z", 8) == [("a", b"1")]
    with pytest.raises(BadParameter, match="headers"):
        form_of(boundary, body % (b"y: z\r\n" * MAX_HEAD), 8)


def test_a_body_that_does_not_come_is_not_awaited_for_ever() -> None:
    async def receive() -> Any:
        await asyncio.Event().wait()

    with pytest.raises(ProtocolError, match=r"within 0\.01 s"):
        asyncio.run(body_of(Request({"type": "http"}, receive), 100, 0.01))
