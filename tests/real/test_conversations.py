"""Whole conversations with the built-in parts: Silero, Smart Turn, Moonshine, SmolLM2 and Piper.

The user is a human recording. The answer is heard again, so what was spoken is what was written.
"""

import contextlib
import json
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from catalog.weights import SMOLLM2
from pipeline.audio import from_pcm16, resample, to_pcm16
from pipeline.messages import Samples
from STT.moonshine import MoonshineRecognizer
from tests.command import command, run
from tests.connections.tcp.test_server import RunningServer
from tests.real import sounds
from tests.real.sounds import text_of, words_wrong
from tests.socket_clients import RawClient
from tests.speech import RATE_HZ, human, silence
from tests.web_client import WebClient

PARTS = ("--stt", "moonshine", "--llm", "smollm2", "--tts", "piper")
"""The default engines by name, since others may be in the cache of this machine."""

SAYS_MORE = (
    *("--stt", "moonshine", "--tts", "piper", "--llm", "llama-cpp"),
    *("--llm_model_name", str(SMOLLM2.path), "--llm_gen_temperature", "0"),
    *("--llm_gen_max_tokens", "64"),
)
"""The same model, always with the same answers, and longer ones: there must be time to interrupt."""

QUESTION = ("utterances/confusion_2.flac", "Where are we going?")
OBJECTION = (
    "utterances/disappointment_1.flac",
    "I am so disappointed in myself. I wish I had worked harder.",
)
PACKET_S = 0.02

pytestmark = pytest.mark.timeout(600)


def say_into(folder: Path, *parts: Samples) -> str:
    """A file for the file mode."""
    path = folder / "said.wav"
    soundfile.write(path, np.concatenate(parts), RATE_HZ)
    return str(path)


def converse(said: str, folder: Path) -> tuple[list[dict[str, Any]], Samples]:
    """The turns of a recording, and the reply at 16 kHz."""
    reply = folder / "reply.wav"
    ended = run("--mode", "file", "--input", said, "--output", str(reply), *PARTS)
    assert ended.returncode == 0, ended.stderr
    turns = json.loads(reply.with_suffix(".transcript.json").read_text("utf-8"))["turns"]
    audio, rate_hz = soundfile.read(reply, dtype="float32")
    return turns, resample(audio, rate_hz, RATE_HZ)


def heard_again(spoken: Samples) -> str:
    """The words of an answer, from its audio."""
    return text_of(MoonshineRecognizer(), spoken)


# -- a recording -----------------------------------------------------------------------------------


def test_a_human_is_understood_and_answered_in_sentences(tmp_path: Path) -> None:
    file, text = QUESTION
    turns, reply = converse(say_into(tmp_path, silence(300), human(file), silence(1200)), tmp_path)
    done = [turn for turn in turns if turn["state"] == "done"]
    assert [turn["user_text"] for turn in done] == [text]
    assert re.fullmatch(r"[A-Z].*[.!?]", done[0]["heard"].strip(), re.S)
    # answers differ and may be short: two words of nine were misheard once; of another text, all are
    assert words_wrong([done[0]["heard"]], [heard_again(reply)]) < 0.5


def test_two_turns_go_on_with_the_same_conversation(tmp_path: Path) -> None:
    said = [silence(300), human(QUESTION[0]), silence(1500), human(OBJECTION[0]), silence(1500)]
    turns, _ = converse(say_into(tmp_path, *said), tmp_path)
    kept = [turn for turn in turns if turn["state"] in ("done", "interrupted")]
    assert (
        words_wrong([QUESTION[1] + " " + OBJECTION[1]], [" ".join(t["user_text"] for t in kept)]) < 0.2
    )
    assert kept[-1]["heard"]


def test_no_sound_that_is_no_speech_is_a_turn(tmp_path: Path) -> None:
    """Silence, noise, tones and a tune: half a minute in which nobody speaks."""
    parts = [part for sound in sounds.not_speech().values() for part in (silence(1500), sound)]
    said = say_into(tmp_path, *parts, silence(1500))
    ended = run("--mode", "file", "--input", said, "--output", str(tmp_path / "reply.wav"), *PARTS)
    assert "no speech was found" in ended.stderr
    turns = json.loads((tmp_path / "reply.transcript.json").read_text("utf-8"))["turns"]
    assert turns == []


# -- a server, at the speed of speech --------------------------------------------------------------


def test_a_human_asks_over_raw_tcp() -> None:
    server = RunningServer(*PARTS)
    with RawClient(*server.ports) as client:
        said = np.concatenate((silence(300), human(QUESTION[0]), silence(1500)))
        client.microphone.sendall(to_pcm16(said))
        first_second = from_pcm16(client.receive(2 * RATE_HZ))  # the model answers briefly at times
    _, told, _ = server.stop()
    assert "Traceback" not in told
    assert heard_again(first_second)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server with the real parts."""
    argv = command("--mode", "websocket", "--port", "0", *SAYS_MORE)
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    for line in server.stderr:
        if found := re.search(r"http://localhost:(\d+)", line):
            break
    else:
        raise AssertionError("the server did not start")
    drained = threading.Thread(target=server.stderr.read, daemon=True)
    drained.start()
    yield int(found[1])
    server.send_signal(signal.SIGINT)
    server.wait(30)
    drained.join()
    server.stderr.close()


class Microphone:
    """An open microphone: sends recordings in real time, and silence between them."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._said: list[bytes] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> "Microphone":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def say(self, file: str) -> None:
        """Say a human recording."""
        pcm = to_pcm16(resample(human(file), RATE_HZ, self._client.rate_hz))
        size = self._packet_bytes
        self._said += [pcm[at : at + size].ljust(size, b"\0") for at in range(0, len(pcm), size)]

    @property
    def _packet_bytes(self) -> int:
        return 2 * int(PACKET_S * self._client.rate_hz)

    def _send(self) -> None:
        while not self._over.wait(PACKET_S):
            packet = self._said.pop(0) if self._said else bytes(self._packet_bytes)
            with contextlib.suppress(Exception):  # the client may have hung up
                self._client.socket.send(packet)


def test_a_human_asks_over_the_websocket(port: int) -> None:
    with WebClient(port) as client, Microphone(client) as microphone:
        microphone.say(QUESTION[0])
        assert client.until("Transcript")["text"] == QUESTION[1]
        done = client.until("TurnDone")
        assert done["state"] == "done"
        assert done["heard"]
        spoken = resample(from_pcm16(b"".join(client.audio)), client.rate_hz, RATE_HZ)
    assert words_wrong([done["heard"]], [heard_again(spoken)]) < 0.2


def test_a_human_interrupts_the_answer(port: int) -> None:
    """Speech over the answer stops it, and is answered itself; only the part of the answer that was
    heard is remembered."""
    with WebClient(port) as client, Microphone(client) as microphone:
        microphone.say(QUESTION[0])
        first = client.until("ReplyStarted")["turn"]
        microphone.say(OBJECTION[0])
        done = client.until("TurnDone")
        while done["turn"] != first:
            done = client.until("TurnDone")
        assert done["state"] == "interrupted"
        while (done := client.until("TurnDone"))["state"] == "dropped":
            pass
        assert done["state"] == "done"
        assert words_wrong([OBJECTION[1]], [done["user_text"]]) < 0.2
