"""The least that a server can be: a TCP socket, Silero, our endpointer, and a tone as the answer.

``python -m benchmarks.bare_server`` prints its port and serves until it is stopped.
"""

import asyncio
import contextlib
import functools

from benchmarks.line import DECIDED, HOST, TONE
from benchmarks.speech import RATE_HZ
from pipeline.settings import EndpointerSettings
from utils.audio import from_pcm16
from VAD.endpointer import Endpointer, Voice
from VAD.silero import SileroDetector


async def converse(
    detector: SileroDetector, microphone: asyncio.StreamReader, loudspeaker: asyncio.StreamWriter
) -> None:
    """Answer each utterance with all of the tone at once; in front of it, after how many samples."""
    samples = detector.window_samples
    stream, endpointer = detector.open(), Endpointer(EndpointerSettings(), 1000 * samples / RATE_HZ)
    with contextlib.suppress(asyncio.IncompleteReadError):
        while True:
            window = from_pcm16(await microphone.readexactly(2 * samples))
            if endpointer.step(stream.probability(window)) is Voice.ENDED:
                loudspeaker.write(DECIDED.pack(endpointer.windows * samples) + TONE)
    loudspeaker.close()


async def serve() -> None:
    """On a port that the system chooses."""
    server = await asyncio.start_server(functools.partial(converse, SileroDetector(RATE_HZ)), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
