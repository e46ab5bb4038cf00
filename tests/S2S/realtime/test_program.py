"""`--s2s realtime` as a user runs it: one instance of the program is the model of another, with real
speech."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import soundfile

from pipeline.audio import from_pcm16, resample, to_pcm16
from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.moonshine import MoonshineRecognizer
from testing.chat_server import ChatServer
from tests.command import command, run
from tests.realtime_client import RealtimeClient
from tests.S2S.realtime.test_faults import free_port
from tests.socket_clients import RawClient, in_background
from tests.speech import human, share_heard
from tests.web_client import WebClient

pytestmark = pytest.mark.slow

RATE_HZ = 24000
ASKED = "ask not what your country can do for you"
LONG = "This is a sentence that takes a while to say. " * 4
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Program:
    """Runs the program, as a server of the page or of the TCP ports, until the block ends."""

    def __init__(self, *flags: str, mode: tuple[str, ...] = ("websocket", "--port", "0")) -> None:
        self.process = subprocess.Popen(
            command("--mode", *mode, *flags),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        wanted = "http://localhost:" if mode[0] == "websocket" else "microphones connect to"
        line = next(line for line in self.process.stderr if wanted in line)
        self.ports = [int(port) for port in re.findall(r":(\d+)", line)]
        self.port = self.ports[0]
        self._reading = in_background(self.process.stderr.read)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(30) == 130
        assert self.process.stderr is not None
        self._reading.join()
        self.process.stderr.close()

    def kill(self) -> None:
        """Kill the program, so that it closes no connection."""
        self.process.kill()
        self.process.wait()


def cascade(llm: ChatServer, port: int = 0) -> Program:
    """A program with a real recognizer and voice."""
    engines = ("--stt", "moonshine", "--tts", "espeak", "--llm", "openai")
    mode = ("websocket", "--port", str(port))
    return Program(*engines, "--llm_base_url", llm.base_url, mode=mode)


def in_front_of(model: Program, *, mode: tuple[str, ...] = ("websocket", "--port", "0")) -> Program:
    """A program whose model is another."""
    url = f"http://127.0.0.1:{model.port}/v1"
    return Program("--s2s", "realtime", "--s2s_base_url", url, mode=mode)


@pytest.fixture(scope="module")
def llm() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture(scope="module")
def model(llm: ChatServer) -> Iterator[Program]:
    with cascade(llm) as program:
        yield program


@pytest.fixture(scope="module")
def front(model: Program) -> Iterator[Program]:
    with in_front_of(model) as program:
        yield program


@pytest.fixture
def question() -> Samples:
    """A sentence spoken by a human, with a pause after it, at 24 kHz."""
    said = human("jfk.flac")[int(7.6 * 16000) :]
    return resample(np.concatenate((said, np.zeros(24000, np.float32))), 16000, RATE_HZ)


def say(client: WebClient, samples: Samples) -> None:
    """Speak at the pace of speech."""
    began = time.monotonic()
    for start in range(0, len(samples), 480):
        time.sleep(max(0.0, began + start / RATE_HZ - time.monotonic()))
        client.socket.send(to_pcm16(samples[start : start + 480]))


def recognized(pcm: bytes, rate_hz: int = RATE_HZ) -> str:
    """The words in some audio, according to the built-in recognizer."""
    samples = resample(from_pcm16(pcm[: len(pcm) // 2 * 2]), rate_hz, 16000)
    engine = MoonshineRecognizer()
    text = engine.transcribe(samples, None, CancelToken()).text
    engine.close()
    return text


def done(client: WebClient, **wanted: Any) -> dict[str, Any]:
    """Wait for the end of a turn that fits."""
    while True:
        event = client.until("TurnDone")
        if wanted.items() <= event.items():
            return event


def test_real_speech_in_and_out(front: Program, question: Samples) -> None:
    with WebClient(front.port) as client:
        say(client, question)
        turn = done(client, state="done")
        assert share_heard(ASKED, turn["user_text"]) > 0.7
        assert turn["heard"] == "Hello. How are you?"
        spoken = b"".join(data[-960:] for data in client.audio)
        assert share_heard("hello how are you", recognized(spoken)) >= 0.75


def test_a_client_that_comes_back(front: Program, llm: ChatServer) -> None:
    llm.reply = LONG
    first = WebClient(front.port)
    key = first.key
    first.send("respond", text="Tell me a story.")
    first.until("ReplyStarted")
    first.drop()
    with WebClient(front.port, f"?key={key}") as again:
        assert done(again, state="done")["heard"] == LONG.strip()
        llm.reply = "Hello. How are you?"
        again.send("respond", text="And now?")
        assert done(again, state="done")["heard"] == "Hello. How are you?"
    first.close()
    texts = [message["content"] for message in llm.requests[-1]["messages"]]
    assert texts[-3:] == ["Tell me a story.", LONG.strip(), "And now?"]


def test_a_raw_client_of_the_two_ports(model: Program, question: Samples) -> None:
    socket = ("socket", "--recv_port", "0", "--send_port", "0")
    with in_front_of(model, mode=socket) as front, RawClient(front.ports[0], front.ports[1]) as client:
        client.send_audio(to_pcm16(resample(question, RATE_HZ, 16000)))
        spoken = client.receive(2 * 16000)
        assert "hello" in recognized(spoken, 16000).lower()


def test_functions_of_a_client(front: Program, llm: ChatServer) -> None:
    with RealtimeClient(front.port) as client:
        client.until("session.created")
        client.configure(tools=[WEATHER])
        llm.call, llm.reply = ("weather", '{"city": "London"}'), ""
        client.note("How is the weather?")
        client.send("response.create")
        (called,) = client.until("response.done").response.output
        assert (called.name, called.arguments) == ("weather", '{"city": "London"}')
        llm.call, llm.reply = None, "It rains."
        output = {"type": "function_call_output", "call_id": called.call_id, "output": "rain"}
        client.send("conversation.item.create", item=output)
        client.send("response.create")
        (said,) = client.until("response.done").response.output
        assert said.content[0].transcript == "It rains."
    llm.reply = "Hello. How are you?"
    assert llm.requests[-1]["messages"][-1]["content"] == "rain"


def test_a_model_that_dies_in_mid_answer_and_comes_back(question: Samples) -> None:
    with ChatServer() as llm:
        llm.reply, port = LONG, free_port()
        with cascade(llm, port) as model, in_front_of(model) as front, WebClient(front.port) as client:
            client.send("respond", text="Tell me a story.")
            client.until("ReplyStarted")
            model.kill()
            error = client.until("ErrorEvent")
            assert error["code"] == "connection_lost"
            heard = done(client, turn=error["turn"])["heard"]
            assert LONG.startswith(heard.rstrip("…"))
            llm.reply = "Hello. How are you?"
            with cascade(llm, port):
                client.send("respond", text="Are you there?")
                while not done(client)["heard"]:  # the connection may not be back yet
                    time.sleep(1)
                    client.send("respond", text="Are you there?")
                say(client, question)
                turn = done(client, state="done")
                assert share_heard(ASKED, turn["user_text"]) > 0.7
            texts = [message["content"] for message in llm.requests[-1]["messages"]]
            assert "Tell me a story." in texts[1], "the conversation was given back"


def test_a_recording(model: Program, question: Samples, tmp_path: Path) -> None:
    said, reply = tmp_path / "said.wav", tmp_path / "reply.wav"
    soundfile.write(said, question[: -RATE_HZ // 2], RATE_HZ)  # it ends before the pause is over
    url = f"http://127.0.0.1:{model.port}/v1"
    ended = run(
        *("--s2s", "realtime", "--s2s_base_url", url),
        *("--mode", "file", "--input", str(said), "--output", str(reply)),
    )
    assert ended.returncode == 0, ended.stderr
    turns = json.loads(reply.with_suffix(".transcript.json").read_text())["turns"]
    assert share_heard(ASKED, " ".join(turn["user_text"] for turn in turns)) > 0.7
    assert turns[-1]["heard"] == "Hello. How are you?"
    samples, rate_hz = soundfile.read(reply, dtype="float32")
    assert "hello" in recognized(to_pcm16(samples), rate_hz).lower()
