"""Helpers of the socket mode's tests: clients for a scripted server."""

from typing import Any

from pipeline.audio import from_pcm16
from testing.server import ScriptedServer
from tests.socket_clients import FramedClient, RawClient
from tests.speech import RATE_HZ

REPLY_MS = 320
"""The length of the scripted reply, in whole blocks of 32 ms."""


def raw(server: ScriptedServer) -> RawClient:
    return RawClient(server.microphone_port, server.loudspeaker_port)


def framed(server: ScriptedServer, **fields: Any) -> FramedClient:
    return FramedClient(server.microphone_port, server.loudspeaker_port, **fields)


def is_answered(client: RawClient) -> bool:
    """True if this raw client gets the whole scripted reply to a question."""
    client.ask_live()
    reply = from_pcm16(client.receive(2 * RATE_HZ * REPLY_MS // 1000))
    return len(reply) == RATE_HZ * REPLY_MS // 1000 and reply.max() > 0
