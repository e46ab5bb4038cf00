"""A minimal server: a WebSocket, Silero, our endpointer, and a tone as the answer.

``python -m benchmarks.bare_server`` prints its port and serves until it is stopped.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import uvicorn

from benchmarks.line import DECIDED, HOST
from benchmarks.speech import PACKET, PACKET_S, RATE_HZ
from connections.listen import listen
from pipeline.audio import from_pcm16
from pipeline.settings import EndpointerSettings
from VAD.endpointer import Endpointer, Voice
from VAD.silero import SileroDetector

Send = Callable[[Any], Awaitable[None]]

TONE = np.full(PACKET, 3000, "<i2").tobytes()
"""20 ms of a constant, as int16."""

REPLY_S = 1.0


async def converse(
    detector: SileroDetector, scope: Any, receive: Callable[[], Awaitable[Any]], send: Send
) -> None:
    """Answer each utterance at the pace of speech. Called by uvicorn directly, with no framework around
    it."""
    await receive()
    await send({"type": "websocket.accept"})
    size, stream = 2 * detector.window_samples, detector.open()
    endpointer = Endpointer(EndpointerSettings(), 1000 * detector.window_samples / RATE_HZ)
    heard, answering = b"", set()
    while (message := await receive())["type"] == "websocket.receive":
        heard += message["bytes"]
        while len(heard) >= size:
            window, heard = from_pcm16(heard[:size]), heard[size:]
            if endpointer.step(stream.probability(window)) is Voice.ENDED:
                answer = asyncio.create_task(_answer(send, endpointer.windows * len(window)))
                answering.add(answer)
                answer.add_done_callback(answering.discard)
    for answer in answering:
        answer.cancel()


async def _answer(send: Send, decided: int) -> None:
    """Send the tone; each packet begins with the number of samples after which the turn was decided."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(round(REPLY_S / PACKET_S)):
        await asyncio.sleep(began + number * PACKET_S - loop.time())
        await send({"type": "websocket.send", "bytes": DECIDED.pack(decided) + TONE})


if __name__ == "__main__":
    listening = listen("", HOST, 0)
    print(listening.getsockname()[1], flush=True)
    app = functools.partial(converse, SileroDetector(RATE_HZ))
    configuration = uvicorn.Config(app, interface="asgi3", log_level="error", lifespan="off")
    uvicorn.Server(configuration).run([listening])
