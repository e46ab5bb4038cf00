"""The whole program with a server that hears and speaks: real speech in, real speech out."""

import json
import re
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio import resample
from pipeline.messages import SPOKEN, Samples
from pipeline.turn import CancelToken
from STT.moonshine import MoonshineRecognizer
from testing.audio_chat_server import AudioChatServer
from testing.speech_server import RATE_HZ as SERVER_HZ
from tests.command import run
from tests.speech import RATE_HZ, share_heard, silence, spoken

QUESTION, AGAIN = "What is the weather like in London today?", "And what about tomorrow morning?"
ANSWER = "It is raining in London. Please take an umbrella with you."


def test_a_recording_of_two_questions_is_answered(tmp_path: Path) -> None:
    asked, reply = tmp_path / "asked.wav", tmp_path / "reply.wav"
    parts = (silence(300), spoken(QUESTION), silence(1500), spoken(AGAIN), silence(1500))
    soundfile.write(asked, np.concatenate(parts), RATE_HZ)
    heard: list[Samples] = []
    with AudioChatServer(ANSWER) as server:
        server.speech = resample(spoken(ANSWER), RATE_HZ, SERVER_HZ)
        server.hear = lambda samples, rate_hz: heard.append(resample(samples, rate_hz, RATE_HZ))
        files = ("--mode", "file", "--input", str(asked), "--output", str(reply))
        address = ("--s2s_base_url", server.base_url)
        ended = run(*files, "--s2s", "openai-audio", *address, "--no_speculate")
    assert ended.returncode == 0, ended.stderr
    assert "Model  scripted" in ended.stderr
    shown = [line.removeprefix("machine: ") for line in ended.stdout.splitlines() if "machine" in line]
    assert " ".join(shown) == f"{ANSWER} {ANSWER}"
    assert len(re.findall(r"you: \([\d.]+ s of speech\)", ended.stdout)) == 2, "no words are known"

    turns = json.loads(reply.with_suffix(".transcript.json").read_text("utf-8"))["turns"]
    done = [turn for turn in turns if turn["state"] == "done"]
    assert [(turn["user_text"], turn["heard"]) for turn in done] == [("", ANSWER)] * len(done)
    assert len(done) == 2
    first, second = (request["messages"] for request in server.requests if "messages" in request)
    assert [message["role"] for message in first] == ["system", "user"]
    assert [message["content"] for message in second[1:-1]] == [SPOKEN, ANSWER]

    recognizer = MoonshineRecognizer()

    def words_of(samples: Samples) -> str:
        sound = np.concatenate((silence(500), samples))  # without it, the first word is often misheard
        return recognizer.transcribe(sound, None, CancelToken()).text

    assert share_heard(QUESTION, words_of(heard[0])) > 0.5
    assert share_heard(AGAIN, words_of(heard[1])) > 0.5
    sound, rate_hz = soundfile.read(reply, dtype="float32")
    assert share_heard(f"{ANSWER} {ANSWER}", words_of(resample(sound, rate_hz, RATE_HZ))) > 0.5
