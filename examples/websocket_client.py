"""Ask a server a spoken question over its WebSocket, and save the answer.

python examples/websocket_client.py question.wav answer.wav [ws://localhost:8000/ws]

The question is mono, 16 bits a sample, 8 to 48 kHz. The only package needed is websockets.
"""

import argparse
import asyncio
import json
import os
import sys
import wave

try:
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.exceptions import WebSocketException
except ModuleNotFoundError:
    sys.exit("This example needs a package; type: pip install websockets")


def read(question: str) -> tuple[bytes, int]:
    """The samples of a recording, and its sample rate in Hz."""
    try:
        with wave.open(question) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                sys.exit(f"{question}: expected mono with 16 bits a sample")
            return file.readframes(file.getnframes()), file.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        sys.exit(f"{question}: expected a WAV file: {error}")


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
    pcm, rate_hz = read(question)
    token = os.environ.get("S2S_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else None
    heard = bytearray()
    try:
        socket = await connect(f"{url}?rate={rate_hz}", additional_headers=headers)
    except OSError:
        sys.exit(f"{url}: no server answers; start one with: s2s serve")
    except WebSocketException as error:
        sys.exit(f"{url}: {error} (the token of a server comes from S2S_TOKEN)")
    async with socket:
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
    parser = argparse.ArgumentParser(description="Ask a server a spoken question.")
    parser.add_argument("question", help="a recording, such as question.wav")
    parser.add_argument("answer", help="the file to write, such as answer.wav")
    parser.add_argument("url", nargs="?", default="ws://localhost:8000/ws", help="the server")
    asyncio.run(ask(**vars(parser.parse_args())))
