"""`--llm auto`: a language model server on this machine, if there is one."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

PROBE_S = 0.3
"""A server on this machine answers within a few milliseconds, or is busy loading."""

_SERVERS = {11434: "Ollama", 8080: "llama.cpp", 1234: "LM Studio", 8000: "vLLM"}

ADVICE = "for real answers install Ollama (https://ollama.com) and type: ollama run llama3.2"


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered, and the first model that it lists."""

    name: str
    base_url: str
    model: str


def find_local_server(own_ports: tuple[int, ...] = ()) -> LocalServer | None:
    """Ask all usual ports of the loopback address at once; the first in the list wins.

    `own_ports` are this program's own, which are not asked. Nobody's words are sent anywhere: the
    question is which models there are.
    """
    ports = [port for port in _SERVERS if port not in own_ports]
    with httpx2.Client(timeout=PROBE_S, trust_env=False) as client, ThreadPoolExecutor(4) as probes:
        for server in probes.map(lambda port: _ask(client, port), ports):
            if server is not None:
                return server
    return None


def _ask(client: httpx2.Client, port: int) -> LocalServer | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        listed = client.get(f"{base_url}/models").raise_for_status().json()
        model = listed["data"][0]["id"]
    except (httpx2.HTTPError, ValueError, LookupError, TypeError):
        return None
    return LocalServer(_SERVERS[port], base_url, model) if isinstance(model, str) else None
