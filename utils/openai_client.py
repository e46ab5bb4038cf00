"""OpenAIServer: a client of a server with the OpenAI protocols, through the official SDK."""

import contextlib
import logging
import os
import random
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import httpx2
import openai

from pipeline.errors import EngineError, Unavailable, UserError
from pipeline.turn import CancelToken
from utils.openai_errors import Refusal

logger = logging.getLogger(__name__)

CONNECT_S = 5.0
"""A server that takes longer to connect counts as absent."""

FIRST_BACK_OFF_S = 0.5
"""Wait before the second attempt; doubled for each further one, with jitter of up to a third, so that
the sessions of a server do not all retry at the same moment."""

_RETRIED = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)
_PARTS = {
    "stt": "recognizer",
    "llm": "language model",
    "tts": "synthesizer",
    "s2s": "speech-to-speech model",
}

T = TypeVar("T")
Ask: TypeAlias = Callable[[openai.OpenAI], Iterator[T]]
Change: TypeAlias = Callable[[Refusal], bool]
"""Changes the next request so that the server may accept it. Returns False if nothing can help."""


class OpenAIServer:
    """A server such as vLLM, llama.cpp, Ollama, LM Studio, Speaches, Kokoro-FastAPI or OpenAI.

    Each running call has its own client, and with it its own connection: so a cancelled call can shut
    its socket down, which stops the server's work at once, even before the first output. `stage` and
    `engine` give the names of the flags in errors.
    """

    def __init__(
        self,
        stage: str,
        engine: str,
        model_name: str | None,
        example: str,
        base_url: str | None = None,
        api_key_file: str | None = None,
        key: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 2,
    ) -> None:
        self._stage = stage
        self._who = f"--{stage} {engine}"
        self.base_url = _checked(
            base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1", stage
        )
        self._key = key or find_key(stage, engine, api_key_file, required=self.is_openai)
        self._timeout = httpx2.Timeout(timeout_s, connect=CONNECT_S)
        self._retries = retries
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self.model = model_name or ""
        self.model = model_name or self._first_model(example)

    @property
    def is_openai(self) -> bool:
        """True if this is OpenAI's own server."""
        return urllib.parse.urlsplit(self.base_url).hostname == "api.openai.com"

    @property
    def host(self) -> str | None:
        """The name of the server's machine; None: it is this one."""
        return None if is_loopback(self.base_url) else urllib.parse.urlsplit(self.base_url).hostname

    @property
    def where(self) -> str:
        """The server's address without the path."""
        where = urllib.parse.urlsplit(self.base_url)
        return f"{where.scheme}://{where.hostname}:{where.port}" if where.port else str(where.hostname)

    def stream(
        self, ask: Ask[T], cancel: CancelToken, change: Change = lambda refusal: False
    ) -> Iterator[T]:
        """Yield the outputs of ``ask(client)``; repeat an attempt that fails before its first output.
        If the server refuses one and `change` finds another form for it, ask again at once.

        Ends early when `cancel` is raised. Raises `EngineError`, with the SDK's error as its cause.
        """
        attempt = 0
        while True:
            begun = False
            try:
                with self._connection(cancel) as connection:
                    for output in connection.ask(ask):
                        begun = True
                        yield output
                return
            except openai.OpenAIError as error:
                if cancel.cancelled:
                    return
                refusal = _refusal(error)
                if not begun and refusal is not None and change(refusal):
                    logger.info("%s refused a request, which is changed: %s", self.where, refusal.reason)
                    continue
                if refusal is not None:
                    logger.warning("%s: %s %s", self.where, refusal.status or "", refusal.reason)
                if begun and not isinstance(error, openai.APITimeoutError):
                    broke_off = f"{self.where} broke off in mid-answer{_because(refusal)}"
                    raise EngineError(broke_off, _code(error)) from error
                if begun or attempt == self._retries or not isinstance(error, _RETRIED):
                    raise EngineError(self._explain(error, refusal), _code(error)) from error
            _wait(FIRST_BACK_OFF_S * 2**attempt * random.uniform(1, 1.33), cancel)
            attempt += 1

    def reach(self) -> str:
        """Return the server's address if it answers. Raises `UserError` otherwise, or if it refuses the
        key."""
        with contextlib.suppress(openai.NotFoundError):  # it answers, but lists no models
            self._list_models()
        return self.base_url

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    @contextlib.contextmanager
    def _connection(self, cancel: CancelToken) -> Iterator["_Connection"]:
        """A connection for one call, shut down when the call is cancelled."""
        with self._lock:
            # A late cancel may have shut down an idle connection.
            self._idle = [idle for idle in self._idle if not idle.is_shut_down]
            connection = self._idle.pop() if self._idle else None
        connection = connection or _Connection(self.base_url, self._key, self._timeout)
        try:
            with cancel.on_cancel(connection.shut_down):
                yield connection
        finally:
            if connection.is_shut_down:
                connection.close()
            else:
                with self._lock:
                    self._idle.append(connection)

    def _first_model(self, example: str) -> str:
        if self.is_openai:
            raise UserError(
                f"{self._who}: expected the name of a model, as in --{self._stage}_model_name {example}"
            )
        try:
            models = self._list_models()
        except openai.NotFoundError:
            models = []
        if not models:
            self.close()
            raise UserError(
                f"{self._who}: {self.base_url} lists no models; name one with "
                f"--{self._stage}_model_name, or check the address (--{self._stage}_base_url): "
                "it often ends in /v1"
            )
        return models[0]

    def _list_models(self) -> list[str]:
        try:
            with self._connection(CancelToken()) as connection:
                return list(connection.ask(_models))
        except openai.NotFoundError:
            raise
        except openai.OpenAIError as error:
            self.close()
            raise Unavailable(f"{self._who}: {self._explain(error, _refusal(error))}") from error

    def _explain(self, error: openai.OpenAIError, refusal: Refusal | None) -> str:
        """Explain an error in one sentence that says what to do; never quote keys or conversations."""
        server, part, flag = self.where, _PARTS[self._stage], f"--{self._stage}"
        because = _because(refusal)
        reason = because and f" ({because.removeprefix(': ')})"
        match error:
            case openai.APITimeoutError():
                return f"the {part} at {server} did not answer in time ({flag}_timeout_s)"
            case openai.APIConnectionError():
                return f"no {part} answers at {server}; start it, or name another: {flag}_base_url"
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return f"{server} refuses the key; set OPENAI_API_KEY, or {flag}_api_key_file{reason}"
            case openai.NotFoundError():
                other = f"choose another: {flag}_model_name"
                return f"{server} knows no model {self.model!r}; {other}{reason}"
            case openai.RateLimitError():
                limits = "rate limit reached, or no credit left"
                return f"{server} accepts no more requests: {limits}{reason}"
            case openai.APIStatusError(status_code=status):
                return f"the {part} at {server} answered with error {status}{because}"
            case openai.APIError() if because:
                return f"the {part} at {server} could not answer{because}"
        return f"the {part} at {server} sent an answer that does not follow the protocol"


class _Connection:
    """A client with at most one connection, whose socket can be shut down from another thread.

    Closing a socket does not wake a thread that reads from it; shutting it down does. The socket comes
    from the HTTP library's "trace" extension, when the connection is made.
    """

    def __init__(self, base_url: str, key: str, timeout: httpx2.Timeout) -> None:
        self.is_shut_down = False
        self._stream: Any = None
        http = httpx2.Client(
            timeout=timeout,
            trust_env=not is_loopback(base_url),  # or a proxy would receive local speech
            limits=httpx2.Limits(max_connections=1),
            event_hooks={"request": [self._trace_request]},
        )
        self._client = openai.OpenAI(
            base_url=base_url, api_key=key, max_retries=0, timeout=timeout, http_client=http
        )

    def ask(self, ask: Ask[T]) -> Iterator[T]:
        """Yield the outputs of ``ask(client)``. Raises only `openai.OpenAIError`."""
        with _of_the_protocol():
            yield from ask(self._client)

    def shut_down(self) -> None:
        """Make blocked reads and writes return at once."""
        self.is_shut_down = True
        with contextlib.suppress(OSError):  # the server may have closed it first
            if self._stream is not None:
                self._stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._client.close()

    def _trace_request(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._on_trace

    def _on_trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._stream = info["return_value"]
            if self.is_shut_down:
                self.shut_down()


def find_key(stage: str, engine: str, key_file: str | None, *, required: bool) -> str:
    """The key for a server, from the file or the environment; "none" if there is no key and none is
    `required`. Raises `UserError`."""
    who = f"--{stage} {engine}"
    if key_file is not None:
        try:
            key = Path(key_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--{stage}_api_key_file {key_file}: cannot be read ({error})") from error
    else:
        key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{who}: expected a key of printable ASCII characters on one line")
    if not key and required:
        raise UserError(
            f"{who}: no key; set OPENAI_API_KEY or --{stage}_api_key_file, or name "
            f"another server with --{stage}_base_url"
        )
    return key or "none"


def is_loopback(base_url: str) -> bool:
    """True if the address is this machine."""
    host = urllib.parse.urlsplit(base_url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _models(client: openai.OpenAI) -> Iterator[str]:
    yield from (model.id for model in client.models.list() if isinstance(model.id, str))


@contextlib.contextmanager
def _of_the_protocol() -> Iterator[None]:
    """Turn every error of a bad answer into one of the SDK's. The SDK does not check answers, and reads
    audio without handling errors: a missing field surfaces as an error of Python, a broken connection as
    one of the HTTP library."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise openai.APITimeoutError(request=error.request) from error
    except httpx2.TransportError as error:
        raise openai.APIConnectionError(request=error.request) from error
    except (
        *(AttributeError, LookupError, TypeError, ValueError),
        RecursionError,  # of brackets in JSON that are too deep
        httpx2.HTTPError,
    ) as error:
        raise openai.OpenAIError(f"not of the protocol: {type(error).__name__}") from error


def _checked(base_url: str, stage: str) -> str:
    try:
        parts = urllib.parse.urlsplit(base_url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise UserError(
            f"--{stage}_base_url: expected an address such as http://localhost:11434/v1, got {base_url}"
        )
    return base_url


def _code(error: openai.OpenAIError) -> str:
    match error:
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return "unreachable"
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return "unauthorized"
    return "engine_failed"


def _refusal(error: openai.OpenAIError) -> Refusal | None:
    """The server's reason; None if no server answered."""
    unreached = isinstance(error, openai.APIConnectionError)
    return Refusal.of(error) if isinstance(error, openai.APIError) and not unreached else None


def _because(refusal: Refusal | None) -> str:
    return f": {refusal.reason}" if refusal and refusal.reason else ""


def _wait(seconds: float, cancel: CancelToken) -> None:
    """Wait, but stop as soon as the call is cancelled."""
    cancelled = threading.Event()
    with cancel.on_cancel(cancelled.set):
        cancelled.wait(seconds)
