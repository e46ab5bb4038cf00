"""A recognizer that is a server dies in the middle of a conversation: the built-in one goes on."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.messages import Samples
from pipeline.turn import CancelToken
from testing.speech_server import SpeechServer
from tests.command import run
from tests.speech import RATE_HZ, share_heard, silence, spoken

pytest.importorskip("moonshine_voice", reason="Moonshine has no wheel for this machine")

from STT.moonshine import MoonshineRecognizer

QUESTIONS = ("What is the weather like in London today?", "Please tell me a short story.")


def test_the_words_are_heard_before_and_after_a_server_dies(tmp_path: Path) -> None:
    parts = [part for text in QUESTIONS for part in (silence(300), spoken(text), silence(900))]
    recording, reply = tmp_path / "question.wav", tmp_path / "reply.wav"
    soundfile.write(recording, np.concatenate(parts), RATE_HZ)
    moonshine, one_at_a_time = MoonshineRecognizer(), threading.Lock()
    heard: list[str] = []

    def hear(samples: Samples, rate_hz: int) -> str:
        assert rate_hz == moonshine.info.sample_rate_hz
        with one_at_a_time:
            text = moonshine.transcribe(samples, None, CancelToken()).text
        if share_heard(QUESTIONS[1], text) > 0.5:
            server.die()
        heard.append(text)
        return text

    with SpeechServer(hear) as server:
        ended = run(
            *("--mode", "file", "--input", str(recording), "--output", str(reply), "--llm", "eliza"),
            *("--json_events", "--no_speculate", "--stt", "openai,moonshine", "--failover_stt_s", "60"),
            *("--stt_base_url", server.base_url, "--stt_moonshine_model_name", "tiny-en"),
        )
    assert ended.returncode == 0, ended.stderr
    events = [json.loads(line) for line in ended.stdout.splitlines()]
    first, second = (event for event in events if event["event"] == "Transcript")
    assert share_heard(QUESTIONS[0], first["text"]) > 0.7
    assert first["text"] in heard, "it is the server that heard the first question"
    assert first["language"] == "en-auto"
    assert share_heard(QUESTIONS[1], second["text"]) > 0.7
    assert second["language"] == "en"
    (notice,) = (event for event in events if event["event"] == "NoticeGiven")
    assert (notice["stage"], notice["code"], notice["turn"]) == ("stt", "failover", second["turn"])
    assert notice["text"].startswith(
        f"openai failed (no recognizer answers at http://127.0.0.1:{server.port}"
    )
    assert notice["text"].endswith("; moonshine listens")
    assert not any(event["event"] == "ErrorEvent" for event in events)
    assert "Ears   scripted · any language, else Moonshine tiny-en" in ended.stderr
