"""Call: one client of the Realtime protocol over WebRTC. Imported when the first one calls."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from aiortc.sdp import SessionDescription

from connections.access.client_registry import ClientRegistry
from connections.access.http_errors import BadParameter
from connections.base import CLOSE_S
from connections.realtime.client import describe
from connections.realtime.ice_server import IceServer
from connections.realtime.microphone import Microphone, take_packets_at_once
from connections.realtime.reply_track import ReplyTrack
from connections.realtime.webrtc_client import WebRTCClient
from pipeline.errors import ProtocolError

logger = logging.getLogger(__name__)

CHANNEL = "oai-events"

CONNECT_S = 30.0
"""Time from our answer to the client's data channel, at most. Without loss it takes 0.1 s; ICE, DTLS
and SCTP each resend lost packets after 0.5 s, 1 s, 2 s and so on."""

MAX_UNSENT = 1 << 16
"""Bytes of events that a slow network may hold up; beyond, further events wait here."""

LAST_EVENTS_S = 0.5
"""Time that the last events may take, so that Ctrl-C ends the program within a second."""


class Call:
    """A peer connection and its client, until either side ends it."""

    def __init__(self, client: WebRTCClient, registry: ClientRegistry, ice: Sequence[IceServer]) -> None:
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[str] = loop.create_future()
        """Our SDP, soon after `run` has begun; or the error."""
        self._client = client
        self._registry = registry
        servers = [RTCIceServer(server.url, server.name, server.password) for server in ice]
        configuration = RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self._connection = RTCPeerConnection(configuration)
        self._connection.on("connectionstatechange", self._on_state)
        self._connection.on("datachannel", self._on_channel)
        self._connection.on("track", self._on_track)
        self._opened: asyncio.Future[RTCDataChannel] = loop.create_future()
        self._over: asyncio.Future[ProtocolError] = loop.create_future()
        self._inbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        registry.attached(client, self._leave)

    async def run(self, offer: str) -> None:
        """Serve the call from the offer to its end."""
        try:
            self._begin(self._converse(offer))
            error = await self._over
            if not self.answer.done():
                self.answer.set_exception(error)
            await self._hang_up(error)
        finally:
            for task in self._tasks:
                task.cancel()
            self._client.detach()
            self._registry.left(self._client)
            self.answer.cancel()  # unless it was given
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._close()

    async def _close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._connection.close()
        except TimeoutError:
            logger.warning("a call was not closed within %g s", CLOSE_S)

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._on_done)
        self._tasks.append(task)

    def _on_done(self, task: asyncio.Task[None]) -> None:
        """End the call when one of its tasks ends by itself."""
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, ProtocolError):
            logger.info("hung up: %s", error, extra={"code": error.code})
            self._leave(error)
        elif isinstance(error, TimeoutError):
            self._leave(ProtocolError(f"expected a connection within {CONNECT_S:.0f} s", "gone"))
        elif error is not None:
            logger.error("a call failed", exc_info=error)
            self._leave(ProtocolError("the call failed", "internal_error"))

    def _leave(self, error: ProtocolError) -> None:
        if not self._over.done():
            self._over.set_result(error)

    # -- the beginning -----------------------------------------------------------------------------

    async def _converse(self, offer: str) -> None:
        self.answer.set_result(await self._negotiate(offer))
        async with asyncio.timeout(CONNECT_S):
            channel = await self._opened
        self._client.attach(None)
        self._begin(self._send(channel))
        self._begin(self._receive())

    async def _negotiate(self, offer: str) -> str:
        """Our SDP. Raises `BadParameter`."""
        connection = self._connection
        try:
            _expect_a_call(SessionDescription.parse(offer))
            await connection.setRemoteDescription(RTCSessionDescription(_reachable(offer), "offer"))
            track = ReplyTrack(self._client)
            track.on("ended", self._on_end)
            connection.addTrack(track)
            await connection.setLocalDescription(await connection.createAnswer())
        except (BadParameter, OSError):
            raise
        except Exception as error:  # aiortc raises all kinds for an offer that it does not understand
            logger.debug("an offer cannot be answered", exc_info=True)
            text = f"sdp: expected an offer that can be answered ({type(error).__name__})"
            raise BadParameter(text, "sdp") from error
        answer: str = connection.localDescription.sdp
        return answer

    # -- events of the connection ------------------------------------------------------------------

    def _on_state(self) -> None:
        if self._connection.connectionState in ("failed", "closed"):
            self._on_end()

    def _on_end(self) -> None:
        self._leave(ProtocolError("the connection is gone", "gone"))

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if channel.label != CHANNEL or self._opened.done():
            channel.close()
            return
        channel.on("message", self._inbox.put_nowait)
        channel.on("close", self._on_end)
        self._opened.set_result(channel)

    def _on_track(self, track: MediaStreamTrack) -> None:
        for receiver in self._connection.getReceivers():
            take_packets_at_once(receiver)
        self._begin(self._listen(track))

    # -- the conversation --------------------------------------------------------------------------

    async def _listen(self, track: MediaStreamTrack) -> None:
        microphone = Microphone()
        with contextlib.suppress(MediaStreamError):  # it has ended
            while True:
                self._client.feed(*microphone.read(await track.recv()))

    async def _receive(self) -> None:
        while True:
            await self._client.receive(await self._inbox.get())

    async def _send(self, channel: RTCDataChannel) -> None:
        room = asyncio.Event()
        channel.bufferedAmountLowThreshold = MAX_UNSENT
        channel.on("bufferedamountlow", room.set)
        with contextlib.suppress(InvalidStateError):  # the client is closing it
            while True:
                self._pass_on(channel, await self._client.next_messages())
                while channel.bufferedAmount > MAX_UNSENT:
                    room.clear()
                    await room.wait()

    def _pass_on(self, channel: RTCDataChannel, messages: Sequence[str | bytes]) -> None:
        for message in messages:
            try:
                channel.send(message)
            except ValueError as error:
                channel.send(describe(ProtocolError(f"an event could not be sent: {error}", "too_long")))

    async def _hang_up(self, error: ProtocolError) -> None:
        """Tell the client why, if it is still there, and close the channel."""
        channel = self._opened.result() if self._opened.done() else None
        if channel is None or channel.readyState != "open":
            return
        for task in self._tasks:
            task.cancel()
        self._pass_on(channel, [*self._client.take_messages(), describe(error)])
        closed = asyncio.Event()
        channel.on("close", closed.set)
        channel.close()  # after everything that was sent
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), LAST_EVENTS_S)


def _expect_a_call(offer: SessionDescription) -> None:
    """Raise `BadParameter` for an offer that is useless here, or that would make aiortc fail later."""
    kinds = sorted(media.kind for media in offer.media)
    if kinds != ["application", "audio"]:  # video would be decoded for nothing
        got = ", ".join(kinds[:5]) or "nothing"
        raise BadParameter(f"sdp: expected audio and a data channel, got {got}", "sdp")
    if not any(m.kind == "audio" and m.direction in ("sendrecv", "recvonly") for m in offer.media):
        raise BadParameter("sdp: expected audio that you receive (sendrecv, recvonly)", "sdp")
    mids = {media.rtp.muxId for media in offer.media}
    bundles = [set(group.items) for group in offer.group if group.semantic == "BUNDLE"]
    if len(mids) != 2 or bundles != [mids]:
        raise BadParameter("sdp: expected both in one bundle (a=group:BUNDLE, a=mid)", "sdp")
    if not all(media.dtls and media.dtls.fingerprints for media in offer.media):
        raise BadParameter("sdp: expected fingerprints (a=fingerprint)", "sdp")


def _reachable(offer: str) -> str:
    """The offer without candidates named by mDNS, which only their own network can resolve: such a
    client is found when it reaches us. Also without the end-of-candidates line, since further ones
    exist."""
    lines = offer.splitlines()
    kept = [line for line in lines if not line.startswith("a=candidate:") or ".local " not in line]
    return "\r\n".join(line for line in kept if line != "a=end-of-candidates") + "\r\n"
