"""RealtimeServer: the address of a server of the Realtime protocol, and connections to it."""

import asyncio
import contextlib
import os
import urllib.parse
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Literal

import httpx2
import openai
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from pipeline.errors import EngineError, UserError
from S2S.realtime.reading import GREETING, fields_of
from utils.openai_client import find_key, is_loopback
from utils.openai_errors import Refusal

OPENAI = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-realtime"
MAX_EVENT = 1 << 21
"""Longest event that is read, in bytes: half a minute of audio in one piece. The sockets of all sessions
stand still while it is parsed."""

CLOSE_S = 1.0
"""Time that the closing handshake may take."""

_KEY_REFUSED = ("unauthorized", "invalid_api_key")
"""Codes with which our own server, and OpenAI's, greet a client whose key they do not know."""

_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class RealtimeServer:
    """The server at `base_url` (with or without ``/realtime`` at its end): OpenAI's, vLLM-Omni's, or
    ours. `timeout_s` is the time to connect and be greeted."""

    def __init__(
        self,
        base_url: str | None = None,
        model_name: str | None = None,
        api_key_file: str | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        parts = _checked(base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI)
        self.is_openai = parts.hostname == "api.openai.com"
        self.model = model_name or (OPENAI_MODEL if self.is_openai else "")
        path = parts.path.rstrip("/").removesuffix("/realtime") + "/realtime"
        query = [*urllib.parse.parse_qsl(parts.query), *([("model", self.model)] if self.model else [])]
        self._url = urllib.parse.urlunsplit(
            (_SCHEMES[parts.scheme], parts.netloc, path, urllib.parse.urlencode(query), "")
        )
        self.where = f"{_SCHEMES[parts.scheme]}://{parts.netloc.rpartition('@')[2]}{path}"
        self._key = find_key("s2s", "realtime", api_key_file, required=self.is_openai)
        self.host = None if is_loopback(self._url) else parts.hostname
        """The name of the machine; None: it is this one."""
        self._proxy: Literal[True] | None = (
            None if self.host is None else True
        )  # or a proxy would receive local speech
        self._timeout_s = timeout_s

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[ClientConnection]:
        """Context manager: a connection on which the server has greeted. Raises `EngineError`."""
        opening = connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._key}"},
            proxy=self._proxy,
            compression=None,  # audio in base64 hardly shrinks, and it costs time
            max_size=MAX_EVENT,
            open_timeout=None,
            close_timeout=CLOSE_S,
        )
        async with contextlib.AsyncExitStack() as stack:
            with self._explaining():
                async with asyncio.timeout(self._timeout_s):
                    socket = await stack.enter_async_context(opening)
                    await self._greeted(socket)
            yield socket

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        """Turn an error of connecting into an `EngineError`."""
        try:
            yield
        except TimeoutError:
            text = (
                f"{self.where} did not greet with {GREETING} within {self._timeout_s:g} s; expected a "
                "server of the OpenAI Realtime protocol (--s2s_base_url)"
            )
            raise EngineError(text, "timeout") from None
        except InvalidStatus as error:
            raise self._refused(error.response.status_code) from error
        except (WebSocketException, ValueError) as error:
            raise self._foreign(type(error).__name__) from error
        except OSError as error:
            text = f"no server answers at {self.where}; start it, or name another: --s2s_base_url"
            raise EngineError(text, "unreachable") from error

    def refusal(self, error: Mapping[str, Any], said: list[str]) -> str:
        """The reason in a server's error, without any words that were `said` in the conversation."""
        headers = {"Authorization": f"Bearer {self._key}"}
        request = httpx2.Request("GET", self.where, headers=headers, json={"messages": said})
        return Refusal.of(openai.APIError("", request, body=dict(error))).reason or "an error"

    async def _greeted(self, socket: ClientConnection) -> None:
        """Wait for the greeting. Raises `EngineError` if something else comes."""
        try:
            event = fields_of(await socket.recv())
        except ConnectionClosed as error:
            code = "" if error.rcvd is None else f" with the code {error.rcvd.code}"
            raise EngineError(f"{self.where} hung up{code} before its greeting", "hung_up") from error
        if event["type"] == "error" and isinstance(event.get("error"), dict):
            if event["error"].get("code") in _KEY_REFUSED:
                raise self._key_refused()
            reason = self.refusal(event["error"], [])
            raise EngineError(f"{self.where} refuses the session: {reason}", "refused")
        if event["type"] != GREETING:
            raise self._foreign(f"an event of the type {event['type']!r:.50}")

    def _foreign(self, got: str) -> EngineError:
        return EngineError(
            f"{self.where}: expected a server of the OpenAI Realtime protocol, got {got}; name another "
            "with --s2s_base_url",
            "protocol",
        )

    def _key_refused(self) -> EngineError:
        text = f"{self.where} refuses the key; set OPENAI_API_KEY, or --s2s_api_key_file"
        return EngineError(text, "unauthorized")

    def _refused(self, status: int) -> EngineError:
        if status == 401:
            return self._key_refused()
        if status == 403:  # also for an address that a server does not know
            text = (
                f"{self.where} refuses the connection (403); check the address, which usually ends in "
                "/v1 (--s2s_base_url), and the key (OPENAI_API_KEY, or --s2s_api_key_file)"
            )
            return EngineError(text, "unauthorized")
        if status == 404:
            text = f"{self.where} was not found (404); check --s2s_base_url and --s2s_model_name"
            return EngineError(text, "not_found")
        if status in (429, 503):
            return EngineError(f"{self.where} accepts no more sessions now (HTTP {status})", "busy")
        return self._foreign(f"HTTP {status} without a WebSocket")


def _checked(url: str) -> urllib.parse.SplitResult:
    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in _SCHEMES and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise UserError(
        f"--s2s_base_url: expected an address such as ws://localhost:8000/v1, got {url!r:.100}"
    )
