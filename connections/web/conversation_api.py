"""Routes for conversations over the WebSocket: our own protocol, and OpenAI's Realtime protocol."""

import re
import sys

from fastapi import APIRouter, WebSocket

from connections.access.authenticator import Authenticator, address_of
from connections.access.client_registry import Client, ClientRegistry
from connections.web.messages import describe
from connections.web.websocket_client import WebSocketClient
from connections.web.websocket_connection import WebSocketConnection
from pipeline.audio import RATES_HZ
from pipeline.errors import ProtocolError

PROTOCOL = "s2s"
REALTIME_PROTOCOL = "realtime"

ALL_EVENTS = sys.maxsize
"""Number of events that have come to a client that does not say it: none is repeated."""


def conversation_routes(authenticator: Authenticator, registry: ClientRegistry) -> APIRouter:
    """The routes; each conversation is a client in the registry."""
    routes = APIRouter()

    @routes.websocket("/ws")
    async def talk(
        websocket: WebSocket,
        rate: str = "24000",
        duplex: str = "full",
        key: str = "",
        events: str = "",
    ) -> None:
        counts = re.fullmatch("[0-9]{1,9}", events) is not None
        received = int(events) if counts else ALL_EVENTS

        def find() -> Client:
            grant = authenticator.admit(websocket, registry.grant_of(key))
            if rate not in map(str, RATES_HZ) or duplex not in ("full", "half"):
                raise ProtocolError("expected a rate from 8000 to 48000, and duplex=full or half")
            if events and not counts:
                raise ProtocolError("expected as events= the number of events that have come")
            if key:
                return registry.resume(key)
            client = WebSocketClient(int(rate), full_duplex=duplex == "full")
            return registry.register(client, address_of(websocket), grant)

        connection = WebSocketConnection(websocket, registry, describe)
        await connection.talk(find, PROTOCOL, received if key else None)

    @routes.websocket("/v1/realtime")
    async def talk_realtime(websocket: WebSocket) -> None:
        from connections.realtime import client as realtime  # see `WebSocketServer.run`

        def find() -> Client:
            grant = authenticator.admit(websocket)
            client = realtime.RealtimeClient(grant.session)
            return registry.register(client, address_of(websocket), grant)

        connection = WebSocketConnection(websocket, registry, realtime.describe)
        await connection.talk(find, REALTIME_PROTOCOL)

    return routes
