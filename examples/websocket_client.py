"""Ask a server a spoken question over its WebSocket, and save the answer.

python examples/websocket_client.py question.wav answer.wav [ws://localhost:8000/ws]
"""

import asyncio
import json
import sys

import numpy as np
import soundfile
import soxr
from websockets.asyncio.client import ClientConnection, connect

RATE_HZ = 24000
PACKET = RATE_HZ // 50 * 2  # 20 ms of int16, in bytes


async def speak(socket: ClientConnection, pcm: bytes) -> None:
    """Send `pcm` at the pace of speech, then silence, as an open microphone would."""
    for start in range(0, len(pcm), PACKET):
        await socket.send(pcm[start : start + PACKET])
        await asyncio.sleep(0.02)
    while True:
        await socket.send(bytes(PACKET))
        await asyncio.sleep(0.02)


async def ask(question: str, answer: str, url: str) -> None:
    """Ask the question in one file and write the answer to another."""
    samples, rate_hz = soundfile.read(question, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate_hz, RATE_HZ)
    heard = bytearray()
    async with connect(f"{url}?rate={RATE_HZ}&duplex=half") as socket:
        speaking = asyncio.create_task(speak(socket, (mono * 32767).astype("<i2").tobytes()))
        async for message in socket:
            if isinstance(message, bytes):
                heard += message
                continue
            told = json.loads(message)
            if told.get("event") == "Transcript":
                print("    you:", told["text"])
            elif told.get("event") == "ReplyText":
                print("machine:", told["text"])
            elif told.get("event") == "TurnDone" and told["state"] == "done":
                break
            elif told["type"] == "error":
                sys.exit(told["text"])
        speaking.cancel()
    soundfile.write(answer, np.frombuffer(heard, "<i2"), RATE_HZ)
    print("written:", answer)


if __name__ == "__main__":
    arguments = [*sys.argv[1:], "ws://localhost:8000/ws"][:3]
    asyncio.run(ask(*arguments))
