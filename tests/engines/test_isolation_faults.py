"""Processes of engines that break down, hang, or lose the program."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import engines.isolation.process
from catalog.registry import EngineSpec
from engines.isolation.device_loss import is_device_lost
from engines.isolation.engines import IsolatedSynthesizer, isolate
from engines.isolation.supervisor import MAX_PAUSE_S, pause_s
from pipeline.errors import EngineError, UserError
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from tests.command import ROOT
from tests.workers import TTS, say, synthesizer
from TTS.base import Synthesizer

PATIENCE_S = 60.0

linux = pytest.mark.skipif(sys.platform != "linux", reason="waits for processes as only Linux can")


def ends(pid: int) -> bool:
    """Wait for the end of a process that is not ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(descriptor, "rb", closefd=True):
        return bool(select.select([descriptor], [], [], PATIENCE_S)[0])


@pytest.mark.parametrize(("how", "why"), [("kill", "SIGKILL"), ("exit", "exit code 3")])
def test_a_process_that_dies_in_mid_call_is_an_error_of_its_turn_alone(how: str, why: str) -> None:
    with synthesizer() as engine:
        first = engine.pid
        speech = engine.synthesize(f"one two {how}", None, None, CancelToken())
        with pytest.raises(EngineError, match=rf"^the process of null ended \({why}\)$") as caught:
            list(speech)
        assert caught.value.code == "engine_died"
        assert say(engine, "one two") == 2, "it waits for the new one"
        assert engine.pid not in (None, first)


def test_one_that_is_killed_while_nobody_calls_is_there_again() -> None:
    with synthesizer() as engine:
        first = engine.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert ends(first)
        with contextlib.suppress(EngineError):  # the program may notice it with the first call
            say(engine, "one two")
        assert say(engine, "one two") == 2
        assert engine.pid != first


def test_all_calls_of_a_process_that_dies_get_an_error() -> None:
    errors: list[EngineError] = []

    def wait(engine: IsolatedSynthesizer, begun: threading.Event) -> None:
        try:
            for _ in engine.synthesize("wait", None, None, CancelToken()):
                begun.set()
        except EngineError as error:
            errors.append(error)

    with synthesizer() as engine:
        waiting = [threading.Event() for _ in range(3)]
        threads = [threading.Thread(target=wait, args=(engine, begun)) for begun in waiting]
        for thread, begun in zip(threads, waiting, strict=True):
            thread.start()
            assert begun.wait(PATIENCE_S)
        with pytest.raises(EngineError):
            say(engine, "kill")
        for thread in threads:
            thread.join(PATIENCE_S)
        assert [error.code for error in errors] == ["engine_died"] * 3
        assert say(engine, "one") == 1


def test_it_is_started_as_often_as_it_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.isolation.supervisor.FIRST_PAUSE_S", 0.001)
    with synthesizer() as engine:
        pids = set()
        for _ in range(5):
            pids.add(engine.pid)
            with pytest.raises(EngineError):
                say(engine, "exit")
            assert say(engine, "one") == 1
        assert len(pids) == 5


@pytest.mark.parametrize("how", ["assert", "wrapped"])
def test_one_that_has_lost_its_device_is_started_again(how: str) -> None:
    with synthesizer() as engine:
        first = engine.pid
        with pytest.raises(EngineError, match=r"^the process of null ended \(it lost its device\)$"):
            say(engine, how)
        assert say(engine, "one two") == 2
        assert engine.pid not in (None, first)


@pytest.mark.parametrize("how", ["break", "refuse", "memory"])
def test_after_other_errors_it_goes_on(how: str) -> None:
    with synthesizer() as engine:
        first = engine.pid
        with pytest.raises(EngineError):
            say(engine, how)
        assert say(engine, "one two") == 2
        assert engine.pid == first


def test_one_that_loses_its_device_each_time_is_started_ever_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures: list[int] = []

    def no_pause(count: int, chance: float) -> float:
        failures.append(count)
        return 0.0

    monkeypatch.setattr("engines.isolation.supervisor.pause_s", no_pause)
    with synthesizer() as engine:
        for _ in range(3):
            with pytest.raises(EngineError):
                say(engine, "assert")
        assert say(engine, "one") == 1
    assert failures == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "is_lost"),
    [
        ("CUDA error: an illegal memory access was encountered", True),
        ("CUDA failure 719: unspecified launch failure ; GPU=0", True),
        ("cuBLAS failed with status CUBLAS_STATUS_EXECUTION_FAILED", True),
        ("command buffer exited with error status. (kIOGPUCommandBufferCallbackErrorHang)", True),
        ("CUDA out of memory. Tried to allocate 2.00 GiB.", False),
        ("MPS backend out of memory", False),
        ("Expected all tensors to be on the same device, found cuda:0 and cpu", False),
    ],
)
def test_errors_of_libraries(text: str, is_lost: bool) -> None:
    assert is_device_lost(RuntimeError(text)) is is_lost


def test_pauses_grow_and_are_not_the_same_for_all() -> None:
    assert pause_s(0, 0.5) == 0
    assert [pause_s(failures, 0) for failures in (1, 2, 3, 4)] == [0.5, 1, 2, 4]
    assert pause_s(2, 1) == 0.5
    assert pause_s(1000, 0) == MAX_PAUSE_S


def test_while_it_cannot_be_started_again_calls_fail_clearly(tmp_path: Path) -> None:
    """Its file is taken away, so it dies at import."""
    package = tmp_path / "shaky_engine.py"
    package.write_text("from testing.null_engines import NullSynthesizer\n")
    spec = EngineSpec("tts", "shaky", "", "shaky_engine:NullSynthesizer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(tmp_path))
        with synthesizer(spec, {"wait_s": 0.05}) as engine:
            package.write_text("import os; os._exit(7)")
            with pytest.raises(EngineError, match="ended"):
                say(engine, "kill")
            with pytest.raises(EngineError, match="broke down and is being started again") as caught:
                say(engine, "one")
            assert caught.value.code == "engine_died"
            with pytest.raises(EngineError, match="broke down"):
                engine.expect_voice("unlisted")
            engine.expect_voice("high")


@pytest.mark.parametrize(
    ("at_start", "why"),
    [
        ("kill", r"^the process of null ended \(SIGKILL\) before it was ready$"),
        ("exit", r"ended \(exit code 3\) before it was ready$"),
        ("break", r"^null could not be loaded \(ValueError\); the traceback is above$"),
        ("unusable", r"^--tts null: expected something else$"),
    ],
)
def test_one_that_dies_before_it_is_ready_is_told(at_start: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        isolate(TTS, {"at_start": at_start}, "cpu")


def test_one_that_dies_at_import_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match=r"could not be loaded \(ModuleNotFoundError\)"):
        isolate(EngineSpec("tts", "lost", "", "TTS.nowhere:Lost"), {}, "cpu")
    assert "No module named 'TTS.nowhere'" in capfd.readouterr().err


@linux
def test_one_that_never_gets_ready_is_told_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self.pid)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(UserError, match="null was not ready within 0 s"):
        isolate(TTS, {"at_start": "deaf"}, "cpu", start_s=0.05)
    (pid,) = started
    assert ends(pid)


def test_a_python_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.isolation.engines.python_of", lambda environment: "/nowhere/python")
    with pytest.raises(UserError, match="/nowhere/python cannot be run"):
        isolate(TTS, {}, "cpu")


def test_a_call_that_heeds_nobody_is_killed_and_the_next_one_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engines.isolation.process, "STALL_S", 0.05)
    with synthesizer(slots=1) as engine:
        first, cancel = engine.pid, CancelToken()
        shared: SharedEngine[Synthesizer] = SharedEngine(engine)
        speech = shared.stream(lambda e, c: e.synthesize("deaf", None, None, c), cancel)
        next(speech)
        cancel.cancel()
        assert list(speech) == [], "nobody waits for it"
        again = shared.stream(lambda e, c: e.synthesize("one two", None, None, c), CancelToken())
        assert len(list(again)) == 2
        assert engine.pid != first


@pytest.mark.parametrize("text", ["wait", "deaf", "native"])
def test_closing_does_not_wait_for_a_call(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.isolation.process, "CLOSE_S", 5.0 if text == "wait" else 0.1)
    with synthesizer() as engine:
        speech = engine.synthesize(text, None, None, CancelToken())
        next(speech)
        pid = engine.pid
        assert pid is not None
        engine.close()
        with pytest.raises(EngineError):
            list(speech)
        with pytest.raises(EngineError, match="null is closed"):
            say(engine, "one")
        assert ends(pid)


def test_garbage_on_the_pipe_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of an environment whose Python says something by itself."""
    (tmp_path / "sitecustomize.py").write_text("print('Welcome to this machine!', flush=True)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UserError, match=r"ended \(expected a frame, got b'Welc'\)"):
        isolate(TTS, {}, "cpu")


PROGRAM = """
import sys
from pipeline.turn import CancelToken
from tests.workers import synthesizer
with synthesizer() as engine:
    for _ in engine.synthesize(sys.argv[1], None, None, CancelToken()):
        print(engine.pid, flush=True)
"""


@linux
@pytest.mark.parametrize("text", ["wait", "deaf", "native"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_the_program(text: str, number: signal.Signals) -> None:
    """Not in the middle of a call either, nor while native code keeps the whole process to itself."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, text], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with program:
        assert program.stdout is not None
        pid = int(program.stdout.readline())
        program.send_signal(number)
    assert ends(pid)


@linux
def test_ctrl_c_is_left_to_the_program() -> None:
    """A terminal sends it to all of the foreground; the process of an engine is not among them."""
    with synthesizer() as engine:
        assert engine.pid is not None
        assert os.getpgid(engine.pid) != os.getpgid(0)
        os.kill(engine.pid, signal.SIGINT)
        assert say(engine, "one") == 1
