"""`--llm auto`: a language model server on this machine, if there is one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from utils.installation import PACKAGE

PROBE_S = 0.3
"""A server on this machine answers within a few milliseconds, or is busy loading."""

OLLAMA = "Ollama"
_SERVERS = {11434: OLLAMA, 8080: "llama.cpp", 1234: "LM Studio", 8000: "vLLM"}


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered, and the models that it lists; there may be none."""

    name: str
    base_url: str
    models: tuple[str, ...]


def find_local_servers(own_ports: tuple[int, ...] = ()) -> list[LocalServer]:
    """Ask all usual ports of the loopback address at once; return the servers that answer, in the usual
    order.

    `own_ports` are this program's own, which are not asked. No words are sent anywhere: the
    question is which models there are.
    """
    ports = [port for port in _SERVERS if port not in own_ports]
    with httpx2.Client(timeout=PROBE_S, trust_env=False) as client, ThreadPoolExecutor(4) as probes:
        return [server for server in probes.map(lambda port: _ask(client, port), ports) if server]


def find_ollama() -> LocalServer | None:
    """Ollama's server, if it answers."""
    port = next(port for port, name in _SERVERS.items() if name == OLLAMA)
    # certificates, which take 0.05 s to read, are for https only
    with httpx2.Client(timeout=PROBE_S, trust_env=False, verify=False) as client:
        return _ask(client, port)


def advice(servers: Sequence[LocalServer]) -> str:
    """The next step toward real answers, if none of these servers has a model."""
    if not servers:
        return "for real answers, install Ollama (https://ollama.com) and type: ollama run llama3.2"
    if servers[0].name == OLLAMA:
        return "Ollama answers but has no model yet; for real answers, type: ollama run llama3.2"
    return f"{servers[0].name} answers but has no model yet; for real answers, load one there"


def _ask(client: httpx2.Client, port: int) -> LocalServer | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        listed = client.get(f"{base_url}/models").raise_for_status().json()
        owned = {model["id"]: model.get("owned_by") for model in listed["data"] or ()}
    except (httpx2.HTTPError, ValueError, LookupError, TypeError, AttributeError):
        return None
    if PACKAGE in owned.values():  # another one of this program, which lists a recognizer and a voice
        return None
    if not all(isinstance(model, str) for model in owned):
        return None
    return LocalServer(_SERVERS[port], base_url, tuple(owned))
