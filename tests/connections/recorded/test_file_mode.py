"""A recording in, the reply out, as a user would try it, with the real default engines."""

import contextlib
import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.turn import CancelToken
from testing.chat_server import ChatServer
from tests.command import command, run
from tests.speech import RATE_HZ as SPEECH_RATE_HZ
from tests.speech import load, share_heard, silence, spoken

QUESTION = "What is the weather like in London today?"
ELIZA = ("--llm", "eliza", "--tts", "espeak")


def write(path: Path, *parts: np.ndarray, rate_hz: int = SPEECH_RATE_HZ) -> str:
    soundfile.write(path, np.concatenate(parts), rate_hz)
    return str(path)


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("question")
    return write(folder / "question.wav", silence(500), spoken(QUESTION), silence(200))


def answer(recording: str, folder: Path, *flags: str) -> tuple[dict[str, Any], str, str]:
    """The transcript, and what was printed."""
    reply = folder / "reply.wav"
    ended = run("--mode", "file", *ELIZA, "--input", recording, "--output", str(reply), *flags)
    assert ended.returncode == 0, ended.stderr
    return (
        json.loads(reply.with_suffix(".transcript.json").read_text("utf-8")),
        ended.stdout,
        ended.stderr,
    )


class Answered:
    """The question, answered once for all tests that look at what came of it."""

    def __init__(self, question: str, folder: Path) -> None:
        self.transcript, self.printed, _ = answer(question, folder)
        self.reply = folder / "reply.wav"

    @property
    def turn(self) -> dict[str, Any]:
        """The only turn."""
        (turn,) = self.transcript["turns"]
        return dict(turn)


@pytest.fixture(scope="module")
def answered(question: str, tmp_path_factory: pytest.TempPathFactory) -> Answered:
    return Answered(question, tmp_path_factory.mktemp("answered"))


def test_a_question_is_recognized_answered_and_spoken(answered: Answered) -> None:
    """The spoken reply, recognized again, contains the words of the reply."""
    from STT.moonshine import MoonshineRecognizer

    turn, printed = answered.turn, answered.printed
    assert share_heard(QUESTION, turn["user_text"]) > 0.7
    assert turn["heard"].startswith("I am Eliza, a stand-in for a language model.")
    assert turn["state"] == "done"
    heard = MoonshineRecognizer().transcribe(load(answered.reply), None, CancelToken()).text
    assert share_heard(turn["heard"], heard) > 0.7
    assert f"you: {turn['user_text']}" in printed
    assert "to the first audio" not in printed, "nobody waited"
    assert answered.transcript["errors"] == []


def test_with_every_engine_in_a_process_of_its_own_it_is_the_same(
    answered: Answered, question: str, tmp_path: Path
) -> None:
    apart, *_ = answer(question, tmp_path, "--isolate", "stt,llm,tts")
    (turn,) = apart["turns"]
    assert turn["user_text"] == answered.turn["user_text"]
    assert turn["heard"].startswith("I am Eliza")


def test_the_latency_is_in_the_transcript_of_a_conversation_in_real_time(
    question: str, tmp_path: Path
) -> None:
    transcript, printed, _ = answer(question, tmp_path, "--speculate", "false", "--realtime")
    (turn,) = transcript["turns"]
    assert "ms to the first audio" in printed
    latency = turn["latency"]
    parts = ("silence_ms", "stt_ms", "llm_ms", "tts_ms", "rest_ms")
    assert latency["total_ms"] == pytest.approx(sum(latency[part] for part in parts))
    assert latency["stt_ms"] > 0


def test_without_real_time_there_is_no_latency_but_the_silence(answered: Answered) -> None:
    latency = answered.turn["latency"]
    assert latency["silence_ms"] > 0
    assert {value for part, value in latency.items() if part != "silence_ms"} == {None}
    assert answered.turn["waterfall"] == []


def test_both_sides_are_on_one_time_line(answered: Answered) -> None:
    transcript = answered.transcript
    both, rate_hz = soundfile.read(transcript["recording"])
    reply, reply_rate_hz = soundfile.read(transcript["reply"])
    assert both.shape[1] == 2
    assert rate_hz == reply_rate_hz
    user, program = (np.flatnonzero(np.abs(both[:, side]) > 0.02) for side in (0, 1))
    assert user[0] / rate_hz == pytest.approx(0.5, abs=0.2)
    assert program[0] > user[-1], "the program speaks after the user"
    begin = program[0] - np.flatnonzero(np.abs(reply) > 0.02)[0]
    assert np.allclose(both[begin : begin + len(reply), 1], reply, atol=0.001)
    marks = transcript["turns"][0]["marks"]
    assert begin / rate_hz == pytest.approx(marks["first_audio"], abs=0.04)


def test_every_question_of_a_recording_is_answered_since_it_waits(tmp_path: Path) -> None:
    questions = (QUESTION, "Please tell me a short story.", "How do you feel about that?")
    parts = [part for text in questions for part in (silence(300), spoken(text), silence(900))]
    transcript, *_ = answer(write(tmp_path / "three.wav", *parts), tmp_path)
    answered = [turn for turn in transcript["turns"] if turn["state"] == "done"]
    for turn, text in zip(answered, questions, strict=True):
        assert share_heard(text, turn["user_text"]) > 0.5
        assert turn["heard"]


def test_the_same_recording_gives_the_same_turns(
    answered: Answered, question: str, tmp_path: Path
) -> None:
    marks = answer(question, tmp_path)[0]["turns"][0]["marks"]
    for mark in ("speech_end", "endpoint", "first_audio"):
        assert marks[mark] == answered.turn["marks"][mark]


@pytest.mark.parametrize(("rate_hz", "channels", "suffix"), [(44100, 2, "wav"), (8000, 1, "flac")])
def test_any_rate_and_channels(rate_hz: int, channels: int, suffix: str, tmp_path: Path) -> None:
    from pipeline.audio import resample

    audio = resample(np.concatenate((silence(300), spoken(QUESTION))), SPEECH_RATE_HZ, rate_hz)
    recording = tmp_path / f"question.{suffix}"
    soundfile.write(recording, np.stack([audio] * channels, axis=1), rate_hz)
    *_, turn = answer(str(recording), tmp_path)[0]["turns"]  # one may be dropped at a pause
    assert share_heard(QUESTION, turn["user_text"]) > 0.7


@pytest.mark.parametrize(
    ("said", "interrupts"), [("Stop, please stop talking now.", True), ("cough", False)]
)
def test_with_headphones_the_reply_is_interrupted_by_words_and_not_by_a_cough(
    said: str, interrupts: bool, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, SPEECH_RATE_HZ * 15 // 100).astype(np.float32)
    over_it = noise if said == "cough" else spoken(said)
    parts = (silence(300), spoken(QUESTION), silence(1500), over_it, silence(4000))
    recording = write(tmp_path / "talk.wav", *parts)
    transcript, printed, _ = answer(recording, tmp_path, "--headphones")
    first = transcript["turns"][0]
    assert first["state"] == ("interrupted" if interrupts else "done")
    assert ("interrupted" in printed) == interrupts
    if interrupts:
        assert first["heard"] in "I am Eliza, a stand-in for a language model."
        assert share_heard(said, transcript["turns"][-1]["user_text"]) > 0.6
        assert transcript["turns"][-1]["heard"]


def test_standard_input(question: str, tmp_path: Path) -> None:
    output = str(tmp_path / "reply.wav")
    argv = ("--mode", "file", *ELIZA, "--input", "-", "--output", output)
    ended = run(*argv, stdin=Path(question).read_bytes())
    assert ended.returncode == 0
    assert "weather" in ended.stdout


def test_in_real_time_the_turns_are_the_same(question: str, tmp_path: Path) -> None:
    (turn,) = answer(question, tmp_path, "--realtime")[0]["turns"]
    assert share_heard(QUESTION, turn["user_text"]) > 0.7
    assert turn["state"] == "done"


def test_events_as_json(question: str, tmp_path: Path) -> None:
    _, printed, told = answer(question, tmp_path, "--json_events")
    events = [json.loads(line) for line in printed.splitlines()]
    names = [event["event"] for event in events]
    for name in ("SpeechStarted", "SpeechEnded", "Transcript", "ReplyStarted", "ReplyText", "TurnDone"):
        assert name in names
    assert names[-1] == "SessionEnded"
    assert "Ears   Moonshine" in told, "what runs is said, but not where a machine reads"


def test_the_test_tone_needs_no_model(question: str, tmp_path: Path) -> None:
    reply = tmp_path / "reply.wav"
    ended = run("--mode", "file", "--s2s", "tone", "--input", question, "--output", str(reply))
    assert ended.returncode == 0
    assert "TEST TONE" in ended.stdout
    assert "TEST TONE" in ended.stderr
    audio, rate_hz = soundfile.read(reply)
    assert len(audio) / rate_hz == pytest.approx(1.5, abs=0.05)
    assert np.abs(audio).max() == pytest.approx(0.3, abs=0.02)
    spectrum = np.abs(np.fft.rfft(audio))
    assert np.argmax(spectrum) * rate_hz / len(audio) == pytest.approx(440 + 200 * 0.1, abs=70)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no such file"),
        (b"", "expected sound as WAV, FLAC, MP3, Ogg or AIFF, got something"),
        (b"This is not audio.", "expected sound as WAV, FLAC, MP3, Ogg or AIFF, got something"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "expected "),
    ],
)
def test_what_is_no_recording_is_one_sentence(
    content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "question.wav"
    if content is not None:
        path.write_bytes(content)
    ended = run("--mode", "file", "--input", str(path), "--output", str(tmp_path / "reply.wav"))
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("recording", "output"),
    [
        ("a.wav", "a.wav"),
        ("a.conversation.wav", "a.wav"),
        ("a.wav", "a.mp3"),
        ("a.wav", ""),
        ("a.wav", "a"),
        ("a.wav", "/nowhere/a.wav"),
        (".", "b.wav"),
    ],
)
def test_files_that_cannot_be_meant_are_one_sentence_and_nothing_is_lost(
    recording: str, output: str, question: str, tmp_path: Path
) -> None:
    path = tmp_path / recording
    if not path.exists():
        path.write_bytes(Path(question).read_bytes())
    ended = run("--mode", "file", "--input", str(path), "--output", output, cwd=tmp_path)
    assert ended.returncode == 2, ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert re.search("--(in|out)put", ended.stderr)
    assert path.is_dir() or path.read_bytes() == Path(question).read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ([path.name] if path != tmp_path else [])


def test_a_mistake_does_not_cost_the_reply_of_before(question: str, tmp_path: Path) -> None:
    (tmp_path / "reply.wav").write_bytes(b"an earlier reply")
    output = ("--output", str(tmp_path / "reply.wav"))
    ended = run("--mode", "file", "--input", question, *output, "--tts_voice", "klingon")
    assert ended.returncode == 2
    assert (tmp_path / "reply.wav").read_bytes() == b"an earlier reply"


def test_what_fails_in_between_is_told_by_the_exit_code(question: str, tmp_path: Path) -> None:
    """An empty reply is not reported as a recording without speech."""
    empty = {"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}}]}
    with ChatServer() as server:
        for failure, code, text in ((empty, 1, "but not answered"), (None, 0, "written")):
            server.failures = [] if failure is None else [failure]
            flags = ("--llm", "openai", "--llm_base_url", server.base_url, "--llm_model_name", "m")
            output = ("--output", str(tmp_path / "reply.wav"))
            ended = run("--mode", "file", "--input", question, *output, *flags)
            assert ended.returncode == code, ended.stderr
            assert text in ended.stderr


def test_nobody_reads_what_it_prints(question: str, tmp_path: Path) -> None:
    reply = tmp_path / "reply.wav"
    argv = command("--mode", "file", *ELIZA, "--input", question, "--output", str(reply))
    for redirection in ("| head -n 0", ">&-", "| true"):
        line = f"{shlex.join(argv)} {redirection}; exit ${{PIPESTATUS[0]}}"
        ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        assert "Traceback" not in ended.stderr
        assert "Exception" not in ended.stderr
        assert soundfile.info(reply).duration > 1
        reply.unlink()


def test_no_input_and_no_place_for_the_output(question: str) -> None:
    assert "--input question.wav" in run("--mode", "file").stderr
    ended = run("--mode", "file", "--input", question, "--output", "/nowhere/reply.wav")
    assert ended.returncode == 2
    assert "--output: /nowhere" in ended.stderr


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, np.float32),
        np.zeros(1, np.float32),
        np.zeros(SPEECH_RATE_HZ, np.float32),
        np.full(SPEECH_RATE_HZ, np.nan, np.float32),
        np.full(SPEECH_RATE_HZ, np.inf, np.float32),
    ],
    ids=["no-sample", "one-sample", "silence", "not-a-number", "infinity"],
)
def test_a_recording_without_speech_is_said_to_be_one(samples: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "question.wav"
    soundfile.write(path, samples, SPEECH_RATE_HZ, subtype="FLOAT")
    files = ("--input", str(path), "--output", str(tmp_path / "reply.wav"))
    ended = run("--mode", "file", *files, *ELIZA)  # which has nothing to do, and loads at once
    assert ended.returncode == (2 if len(samples) == 0 else 1)
    assert "Traceback" not in ended.stderr
    assert "no speech was found" in ended.stderr or "without any audio" in ended.stderr
    assert not (tmp_path / "reply.wav").exists(), "there is no reply"


def test_not_a_number_within_speech_is_taken_for_silence(tmp_path: Path) -> None:
    speech = np.concatenate((silence(300), spoken(QUESTION)))
    speech[::1000] = np.nan
    path = tmp_path / "question.wav"
    soundfile.write(path, speech, SPEECH_RATE_HZ, subtype="FLOAT")
    *_, turn = answer(str(path), tmp_path)[0]["turns"]
    assert share_heard(QUESTION, turn["user_text"]) > 0.6


def test_a_recording_of_three_hours_is_read_piece_by_piece_and_can_be_stopped(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", SPEECH_RATE_HZ, 1) as recording:
        recording.write(np.concatenate((silence(300), spoken(QUESTION), silence(1000))))
        for _ in range(180):
            recording.write(silence(60_000))
    reply = tmp_path / "reply.wav"
    argv = ["--mode", "file", *ELIZA, "--input", str(path), "--output", str(reply)]
    with subprocess.Popen(
        command(*argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert "weather" in program.stdout.readline()
        while reply.with_suffix(".conversation.wav").stat().st_size < 20_000_000:
            with contextlib.suppress(subprocess.TimeoutExpired):
                pytest.fail(f"it ended with {program.wait(0.01)}")
        memory = Path(f"/proc/{program.pid}/statm")
        if memory.exists():
            assert int(memory.read_text().split()[1]) * 4096 < 500_000_000
        program.send_signal(signal.SIGINT)
        _, told = program.communicate(timeout=60)
    assert "Traceback" not in told
    assert program.returncode == 130
    assert soundfile.info(reply).duration > 1


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
@pytest.mark.parametrize("after_s", [0.1, 0.4, 0.7, 1.0])
def test_ctrl_c_while_the_recognizer_computes_ends_quietly(after_s: float, tmp_path: Path) -> None:
    """Its native code goes on, on a thread of its own, and must not be unloaded under it."""
    recording = write(tmp_path / "long.wav", *[spoken(QUESTION)] * 8)
    output = ("--output", str(tmp_path / "reply.wav"))
    argv = command("--mode", "file", *ELIZA, "--input", recording, *output)
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        assert any("Voice" in line for line in program.stderr)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(after_s)
        program.send_signal(signal.SIGINT)
        _, told = program.communicate(timeout=60)
    assert program.returncode == 130, told
    assert not re.search("terminate|onnxruntime|nanobind|Traceback", told), told
