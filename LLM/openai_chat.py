"""Any server that speaks the OpenAI chat protocol, through the official SDK."""

import contextlib
import os
import random
import socket
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import openai

from LLM.openai_messages import AnswerReader, as_messages, as_tools
from LLM.thoughts import Piece, UnmarkedThoughts
from pipeline.errors import EngineError, UserError
from pipeline.messages import ChatMessage, ToolCall
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken

CONNECT_S = 5.0
"""Longer, and the server is not there."""

FIRST_BACK_OFF_S = 0.5
"""Before the second attempt; doubled for each further one, with a third of jitter, so that the sessions
of a server do not all come back at the same moment."""

_RETRIED = (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError)


class OpenAIChatModel:
    """vLLM, llama.cpp, Ollama, LM Studio, DeepSeek, OpenAI and their kin.

    Each running call has a client, and with it a connection, of its own: so a cancelled call can shut
    its socket down, which stops the server's work at once, before the first word too.
    """

    name = "openai"
    slots = 16
    takes_tools = True

    def __init__(
        self,
        model_name: str | None = None,
        base_url: str | None = None,
        api_key_file: str | None = None,
        key: str | None = None,
        stream: bool = True,
        timeout_s: float = 60.0,
        retries: int = 2,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self._base_url = _checked(
            base_url or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        )
        self._key = key or _find_key(self._base_url, api_key_file)
        self._stream = stream
        self._timeout = httpx2.Timeout(timeout_s, connect=CONNECT_S)
        self._retries = retries
        self._settings = {name: v for name, v in (gen_kwargs or {}).items() if v is not None}
        self._thoughts = UnmarkedThoughts()
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        self._model = model_name or ""
        self._model = model_name or self._first_model()

    @property
    def about(self) -> str:
        """What runs, for the person who started it."""
        return f"{self._model} at {self._base_url}"

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer of the server; before its first word a failed attempt is repeated."""
        request = {
            "model": self._model,
            "messages": as_messages(messages),
            **as_tools(tools, tool_choice),
            **self._settings,
        }
        for attempt in range(self._retries + 1):
            begun = False
            try:
                with self._connection(cancel) as connection:
                    for piece in self._thoughts.mark(connection.answer(request, self._stream)):
                        begun = True
                        yield piece
                return
            except openai.OpenAIError as error:
                last = attempt == self._retries or not isinstance(error, _RETRIED)
                if cancel.cancelled:
                    return
                if begun and not isinstance(error, openai.APITimeoutError):
                    raise EngineError(
                        f"{self._server()} broke off in mid-answer", _code(error)
                    ) from error
                if begun or last:
                    raise EngineError(self._explain(error), _code(error)) from error
            _wait(FIRST_BACK_OFF_S * 2**attempt * random.uniform(1, 1.33), cancel)

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            for connection in self._idle:
                connection.close()
            self._idle.clear()

    @contextlib.contextmanager
    def _connection(self, cancel: CancelToken) -> Iterator["_Connection"]:
        """A connection for one call, shut down when the call is cancelled."""
        with self._lock:
            # A cancel that comes late may have shut one down that was kept.
            self._idle = [idle for idle in self._idle if not idle.is_shut_down]
            connection = self._idle.pop() if self._idle else None
        connection = connection or _Connection(self._base_url, self._key, self._timeout)
        try:
            with cancel.on_cancel(connection.shut_down):
                yield connection
        finally:
            if connection.is_shut_down:
                connection.close()
            else:
                with self._lock:
                    self._idle.append(connection)

    def reach(self) -> str:
        """Where the server answers. Raises `UserError` where it does not, or wants another key."""
        with contextlib.suppress(openai.NotFoundError):  # one that answers, but lists no models
            self._list_models()
        return self._base_url

    def _first_model(self) -> str:
        if urllib.parse.urlsplit(self._base_url).hostname == "api.openai.com":
            raise UserError(
                "--llm openai: expected the name of a model, as in --llm_model_name gpt-5-mini"
            )
        try:
            models = self._list_models()
        except openai.NotFoundError:
            models = []
        if not models:
            self.close()
            raise UserError(
                f"--llm openai: {self._base_url} lists no models; name one with --llm_model_name, or is "
                "it another address (--llm_base_url), which often ends in /v1?"
            )
        return models[0]

    def _list_models(self) -> list[str]:
        try:
            with self._connection(CancelToken()) as connection:
                return connection.models()
        except openai.NotFoundError:
            raise
        except openai.OpenAIError as error:
            self.close()
            raise UserError(f"--llm openai: {self._explain(error)}") from error

    def _server(self) -> str:
        where = urllib.parse.urlsplit(self._base_url)
        return f"{where.scheme}://{where.hostname}:{where.port}" if where.port else str(where.hostname)

    def _explain(self, error: openai.OpenAIError) -> str:
        """One sentence that says what to do; nothing of what was asked or answered."""
        server = self._server()
        match error:
            case openai.APITimeoutError():
                return f"the language model at {server} did not answer in time (--llm_timeout_s)"
            case openai.APIConnectionError():
                return (
                    f"no language model answers at {server}; start it, or name another: --llm_base_url"
                )
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return f"{server} refuses the key; set OPENAI_API_KEY, or --llm_api_key_file"
            case openai.NotFoundError():
                return f"{server} knows no model {self._model!r}; choose another: --llm_model_name"
            case openai.RateLimitError():
                return f"{server} takes no more: too many requests, or nothing left to spend"
            case openai.APIStatusError(status_code=status):
                return f"the language model at {server} answered with error {status}"
        return f"the language model at {server} answered what is not understood"


class _Connection:
    """A client with at most one connection, whose socket can be shut down from another thread.

    Closing a socket does not wake who reads from it; shutting it down does. The socket is learnt from
    the trace of the HTTP library (its "trace" extension), when the connection is made.
    """

    def __init__(self, base_url: str, key: str, timeout: httpx2.Timeout) -> None:
        self.is_shut_down = False
        self._stream: Any = None
        http = httpx2.Client(
            timeout=timeout,
            trust_env=not _is_loopback(base_url),  # or a proxy would get what is said on this machine
            limits=httpx2.Limits(max_connections=1),
            event_hooks={"request": [self._trace_request]},
        )
        self._client = openai.OpenAI(
            base_url=base_url, api_key=key, max_retries=0, timeout=timeout, http_client=http
        )

    def answer(self, request: Mapping[str, Any], stream: bool) -> Iterator[str | ToolCall]:
        """The answer, in pieces if `stream`. Raises `openai.OpenAIError`."""
        with _of_the_protocol():
            if not stream:
                whole = self._client.chat.completions.create(**request, stream=False)
                yield from AnswerReader().read(whole.choices[0].message)
                return
            reader = AnswerReader()
            with self._client.chat.completions.create(**request, stream=True) as chunks:
                for chunk in chunks:
                    if chunk.choices:
                        yield from reader.read(chunk.choices[0].delta)

    def models(self) -> list[str]:
        """What the server lists. Raises `openai.OpenAIError`."""
        with _of_the_protocol():
            listed = [model.id for model in self._client.models.list()]
            return [name for name in listed if isinstance(name, str)]

    def shut_down(self) -> None:
        """Let whoever reads from or writes to the server return at once."""
        self.is_shut_down = True
        with contextlib.suppress(OSError):  # the server may have been quicker
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


@contextlib.contextmanager
def _of_the_protocol() -> Iterator[None]:
    """The SDK does not check what a server answers; what is missing shows as an error of Python."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise openai.OpenAIError(f"not of the protocol: {type(error).__name__}") from error


def _checked(base_url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(base_url)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise UserError(
            f"--llm_base_url: expected an address such as http://localhost:11434/v1, got {base_url}"
        )
    return base_url


def _is_loopback(base_url: str) -> bool:
    host = urllib.parse.urlsplit(base_url).hostname or ""
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _find_key(base_url: str, key_file: str | None) -> str:
    if key_file is not None:
        try:
            key = Path(key_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"--llm_api_key_file {key_file}: it cannot be read ({error})") from error
    else:
        key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise UserError("--llm openai: expected a key of plain characters in one line, got others")
    if not key and urllib.parse.urlsplit(base_url).hostname == "api.openai.com":
        raise UserError(
            "--llm openai: no key; set OPENAI_API_KEY or --llm_api_key_file, or name another server "
            "with --llm_base_url"
        )
    return key or "none"


def _code(error: openai.OpenAIError) -> str:
    match error:
        case openai.APITimeoutError():
            return "timeout"
        case openai.APIConnectionError():
            return "unreachable"
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return "unauthorized"
    return "engine_failed"


def _wait(seconds: float, cancel: CancelToken) -> None:
    """Wait, but not for a call that nobody wants any more."""
    cancelled = threading.Event()
    with cancel.on_cancel(cancelled.set):
        cancelled.wait(seconds)
