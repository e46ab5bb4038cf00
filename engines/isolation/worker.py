"""Worker: the other end of the pipes, in a process of its own. It serves one engine until the program
closes it, or ends."""

import importlib
import importlib.util
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NoReturn

from engines.isolation import codec, framing
from engines.isolation.device_loss import is_device_lost
from engines.starting import start
from pipeline.errors import EngineError, Unavailable, UserError
from pipeline.turn import CancelToken
from utils.hub import fetched

CALLS: dict[str, Callable[[Any, tuple[Any, ...], CancelToken], Iterable[Any]]] = {
    "transcribe": lambda engine, given, cancel: (engine.transcribe(*given, cancel),),
    "generate": lambda engine, given, cancel: engine.generate(given[0], cancel, *given[1:]),
    "synthesize": lambda engine, given, cancel: engine.synthesize(*given, cancel),
    "respond": lambda engine, given, cancel: engine.respond(*given, cancel),
    "expect_voice": lambda engine, given, cancel: (engine.expect_voice(*given),),
}
"""Methods of the engine."""


class Streams:
    """Utterances and conversations in progress, by number; the program assigns the numbers."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._streams: dict[int, Any] = {}

    def open(self, number: int, *given: Any) -> None:
        """Open a stream; `given` are the arguments of the engine, and the token of the call."""
        self._streams[number] = self._engine.open(*given[:-1])

    def feed(self, number: int, samples: Any, cancel: CancelToken) -> str:
        """All words so far."""
        text: str = self._streams[number].feed(samples, cancel)
        return text

    def finish(self, number: int, cancel: CancelToken) -> Any:
        """The result of a stream, which is then forgotten."""
        return self._streams.pop(number).finish(cancel)

    def answer(self, number: int, frame: Any, cancel: CancelToken) -> Any:
        """The audio that follows a frame, and the text that begins with it."""
        return self._streams[number].answer(frame)

    def fork(self, number: int, other: int, cancel: CancelToken) -> bool:
        """Copy a stream; true if there is now one that has heard the same."""
        fork = self._streams[number].fork()
        if fork is not None:
            self._streams[other] = fork
        return fork is not None

    def forget(self, number: int) -> None:
        """Forget a stream, if it still exists, and free the state of a conversation."""
        close = getattr(self._streams.pop(number, None), "close", None)
        if close is not None:
            close()


def run(lifeline: int, foreign: Collection[str], root: Path) -> NoReturn:
    """Load the engine that the first frame names, and serve it. `lifeline`: a pipe whose other end the
    program has, or -1. `foreign`: names of our packages that mean the environment's own here."""
    logging.basicConfig(level=logging.ERROR)  # warnings of libraries are not for users
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the program says when it is over
    _end_with(lifeline)
    worker = Worker(*_take_pipes(), foreign, root)
    threading.Thread(target=worker.listen, name="pipe", daemon=True).start()
    worker.serve()
    sys.stderr.flush()
    os._exit(0)  # threads of libraries are not waited for


class Worker:
    """Calls run on as many threads as the engine has slots. Another thread reads from the program, so it
    is heard whatever is being computed."""

    def __init__(
        self, requests: BinaryIO, answers: BinaryIO, foreign: Collection[str], root: Path
    ) -> None:
        self._foreign = foreign
        self._root = root
        self._requests = requests
        self._answers = answers
        self._writing = threading.Lock()
        self._for_main: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._running: dict[int, CancelToken] = {}
        self._engine: Any = None
        self._streams: Streams
        self._slots: ThreadPoolExecutor
        self._questions = ThreadPoolExecutor(1)
        """The thread for questions about the engine, which wait for no slot."""

    def listen(self) -> NoReturn:
        """Follow the program's requests; when it is gone, end, whatever is being computed."""
        try:
            while True:
                header, body = framing.read(self._requests)
                match header["do"]:
                    case "call":
                        self._begin(header, body)
                    case "cancel":
                        if cancel := self._running.get(header["id"]):
                            cancel.cancel()
                    case "forget":
                        self._streams.forget(header["stream"])
                    case _:
                        self._for_main.put(header)
        except (EOFError, framing.NoFrame):
            os._exit(0)

    def serve(self) -> None:
        """The main thread: it loads the engine, and closes it."""
        wanted = self._for_main.get()
        try:
            engine_class = find_class(wanted["engine"], self._foreign, self._root)
            self._engine = start(engine_class, wanted["settings"], *wanted["device"])
        except UserError as error:
            lacks = isinstance(error, Unavailable)
            self._send({"is": "failed", "sentence": str(error), "unavailable": lacks})
            return
        except BaseException as error:
            traceback.print_exc()
            self._send({"is": "failed", "error": type(error).__name__})
            return
        self._streams = Streams(self._engine)
        self._slots = ThreadPoolExecutor(self._engine.info.slots)
        info, _ = codec.pack(self._engine.info)
        models = {name: str(folder) for name, folder in fetched.items()}
        self._send({"is": "ready", "info": info, "fetched": models})
        self._for_main.get()
        self._engine.close()

    def _begin(self, header: dict[str, Any], body: bytearray) -> None:
        self._running[header["id"]] = CancelToken()
        threads = self._questions if header["method"] == "expect_voice" else self._slots
        threads.submit(self._call, header, body)

    def _call(self, header: dict[str, Any], body: bytearray) -> None:
        number, end = header["id"], {"is": "end", "id": header["id"]}
        cancel = self._running[number]
        try:
            results = self._results(header["method"], codec.unpack(header["given"], body), cancel)
            for result in results:
                if cancel.cancelled:
                    break
                packed, samples = codec.pack(result)
                self._send({"is": "output", "id": number, "value": packed}, samples)
            close = getattr(results, "close", None)
            if close is not None:  # a generator cleans up on the thread on which it ran
                close()
        except BaseException as error:
            end |= self._told(error)
            if is_device_lost(error):  # every other call would fail, too
                self._send({"is": "lost"})
                os._exit(1)
        del self._running[number]
        self._send(end)

    def _told(self, error: BaseException) -> dict[str, str]:
        """The fields with which the program is told of an error of the engine."""
        if isinstance(error, EngineError):
            return {"sentence": str(error), "code": error.code}
        if isinstance(error, UserError):
            return {"sentence": str(error), "code": "unusable"}
        where = "".join(traceback.format_tb(error.__traceback__))  # but never the user's words
        print(f"{self._engine.info.name} failed: {type(error).__name__}\n{where}", file=sys.stderr)
        sys.stderr.flush()
        return {"error": type(error).__name__}

    def _results(self, method: str, given: tuple[Any, ...], cancel: CancelToken) -> Iterable[Any]:
        if method in CALLS:
            return CALLS[method](self._engine, given, cancel)
        return (getattr(self._streams, method)(*given, cancel),)

    def _send(self, header: dict[str, Any], body: bytes = b"") -> None:
        try:
            with self._writing:
                framing.write(self._answers, header, body)
        except OSError:  # the program is gone
            os._exit(0)


def find_class(path: str, foreign: Collection[str], root: Path) -> type:
    """Find the class "module:Name"; if a foreign package hides ours, in the file of the module."""
    name, _, attribute = path.partition(":")
    if name.partition(".")[0] in foreign:
        file = root.joinpath(*name.split(".")).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(f"own_{name.replace('.', '_')}", file)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(name)
    found: type = getattr(module, attribute)
    return found


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take standard input and output for the frames alone: output of libraries goes to standard
    error."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    return requests, answers


def _end_with(lifeline: int) -> None:
    """Let the kernel end this process when the program is gone, even while native code holds the
    interpreter, so that no thread of ours could see the end of the pipe. (Linux; elsewhere that thread
    has to do.)"""
    if lifeline >= 0:
        import fcntl

        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)  # SIGIO ends a process by default
