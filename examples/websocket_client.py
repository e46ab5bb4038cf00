"""Ask a server a spoken question over its WebSocket, and save the answer.

python examples/websocket_client.py question.wav answer.wav [ws://localhost:8000/ws]

The question is mono, 16 bits a sample, 8 to 48 kHz. The only package needed is websockets.
"""

import asyncio
import json
import os
import sys
import wave

from websockets.asyncio.client import ClientConnection, connect


async def speak(socket: ClientConnection, pcm: bytes, packet: int) -> None:
    """Send the question at the pace of speech, then silence, as an open microphone does."""
    for start in range(0, len(pcm), packet):
        await socket.send(pcm[start : start + packet])
        await asyncio.sleep(0.02)
    while True:
        await socket.send(bytes(packet))
        await asyncio.sleep(0.02)


async def ask(question: str, answer: str, url: str) -> None:
    """Ask the question in one file and write the answer to another."""
    with wave.open(question) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            sys.exit(f"{question}: expected mono with 16 bits a sample")
        rate_hz, pcm = file.getframerate(), file.readframes(file.getnframes())
    token = os.environ.get("S2S_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    heard = bytearray()
    async with connect(f"{url}?rate={rate_hz}", additional_headers=headers) as socket:
        speaking = asyncio.create_task(speak(socket, pcm, rate_hz // 50 * 2))
        async for message in socket:
            if isinstance(message, bytes):
                heard += message
                continue
            told = json.loads(message)
            if told["type"] == "flush":
                print("         (cut off here)")
            elif told["type"] == "error":
                sys.exit(told["text"])
            elif told.get("event") == "Transcript":
                print("    you:", told["text"])
            elif told.get("event") == "ReplyText":
                print("machine:", told["text"])
            elif told.get("event") == "TurnDone" and told["state"] in ("done", "failed"):
                break
        speaking.cancel()
    with wave.open(answer, "wb") as file:
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(heard)
    print("written:", answer)


if __name__ == "__main__":
    asyncio.run(ask(*[*sys.argv[1:], "ws://localhost:8000/ws"][:3]))
