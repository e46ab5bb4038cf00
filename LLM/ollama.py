"""Ollama: asks its server on this machine for a model, which it downloads and runs."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx2

from LLM.auto import LocalServer, find_ollama
from pipeline.errors import UserError

SILENCE_S = 60.0
"""Time without any news of a download, after which it counts as failed."""


def expect_ollama() -> LocalServer:
    """The server of Ollama on this machine, and its models. Raises `UserError` if none answers."""
    server = find_ollama()
    if server is None:
        raise UserError("Ollama does not answer; install it from https://ollama.com and start it")
    return server


def pull(server: LocalServer, model: str, on_progress: Callable[[int, int], None]) -> None:
    """Make the server download a model; `on_progress` gets the bytes that are there, and all that are
    known to come. An error that it raises ends the download. Raises `UserError`."""
    layers: dict[str, tuple[int, int]] = {}
    with closing(_news(server, model)) as lines:
        for news in lines:
            if error := news.get("error"):
                raise UserError(f"Ollama cannot get {model}: {error}")
            if news.get("status") == "success":
                return
            if "digest" in news and "total" in news:
                layers[news["digest"]] = news.get("completed", 0), news["total"]
                done, size = map(sum, zip(*layers.values(), strict=True))
                on_progress(done, size)
    raise UserError(f"Ollama broke the download of {model} off; try again")


def _news(server: LocalServer, model: str) -> Generator[dict[str, Any], None, None]:
    """The lines in which Ollama reports a download."""
    url = server.base_url.removesuffix("/v1") + "/api/pull"
    with (
        _failing(model),
        httpx2.Client(timeout=SILENCE_S, trust_env=False) as client,
        client.stream("POST", url, json={"model": model, "stream": True}) as response,
    ):
        for line in response.iter_lines():
            if line.strip():
                yield json.loads(line)


@contextmanager
def _failing(model: str) -> Iterator[None]:
    try:
        yield
    except (httpx2.HTTPError, ValueError) as error:
        raise UserError(
            f"Ollama broke the download of {model} off ({type(error).__name__}); try again"
        ) from error
