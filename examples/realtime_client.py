"""Ask a server a spoken question over OpenAI's Realtime protocol, and save the answer.

python examples/realtime_client.py question.wav answer.wav [http://localhost:8000/v1]

The question is mono, 16 bits a sample, 24 kHz. The only package needed is openai[realtime].
"""

import argparse
import base64
import contextlib
import os
import sys
import wave

try:
    from openai import OpenAI
    from websockets.exceptions import WebSocketException
except ModuleNotFoundError:
    sys.exit("This example needs a package; type: pip install 'openai[realtime]'")

RATE_HZ = 24000


def read(question: str) -> bytes:
    """The samples of a recording."""
    try:
        with wave.open(question) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE_HZ):
                sys.exit(f"{question}: expected mono with 16 bits a sample, at {RATE_HZ} Hz")
            pcm: bytes = file.readframes(file.getnframes())
            return pcm
    except (OSError, EOFError, wave.Error) as error:
        sys.exit(f"{question}: expected a WAV file: {error}")


def ask(question: str, answer: str, url: str) -> None:
    """Ask the question in one file and write the answer to another."""
    pcm = read(question)
    heard = bytearray()
    client = OpenAI(base_url=url, api_key=os.environ.get("S2S_TOKEN", "none is needed"))
    try:
        connection = client.realtime.connect(model="any").enter()
    except OSError:
        sys.exit(f"{url}: no server answers; start one with: s2s serve")
    except WebSocketException as error:
        sys.exit(f"{url}: {error} (the token of a server comes from S2S_TOKEN)")
    with contextlib.closing(connection):
        # without turn detection, the client says when the question is over
        connection.session.update(
            session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        )
        for start in range(0, len(pcm), 2 * RATE_HZ):
            second = pcm[start : start + 2 * RATE_HZ]
            connection.input_audio_buffer.append(audio=base64.b64encode(second).decode())
        connection.input_audio_buffer.commit()
        connection.response.create()
        for event in connection:
            if event.type == "conversation.item.input_audio_transcription.completed":
                print("    you:", event.transcript)
            elif event.type == "response.output_audio.delta":
                heard += base64.b64decode(event.delta)
            elif event.type == "response.output_audio_transcript.done":
                print("machine:", event.transcript)
            elif event.type == "error":
                sys.exit(event.error.message)
            elif event.type == "response.done":
                break
    with wave.open(answer, "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(heard)
    print("written:", answer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask a server a spoken question.")
    parser.add_argument("question", help="a recording, such as question.wav")
    parser.add_argument("answer", help="the file to write, such as answer.wav")
    parser.add_argument("url", nargs="?", default="http://localhost:8000/v1", help="the server")
    ask(**vars(parser.parse_args()))
