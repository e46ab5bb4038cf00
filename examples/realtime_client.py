"""Ask a server a spoken question over OpenAI's Realtime protocol, and save the answer.

python examples/realtime_client.py question.wav answer.wav [http://localhost:8000/v1]

The question is mono, 16 bits a sample, 24 kHz. The only package needed is openai[realtime].
"""

import base64
import os
import sys
import wave

from openai import OpenAI

RATE_HZ = 24000


def ask(question: str, answer: str, url: str) -> None:
    """Ask the question in one file and write the answer to another."""
    with wave.open(question) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, RATE_HZ):
            sys.exit(f"{question}: expected mono with 16 bits a sample, at {RATE_HZ} Hz")
        pcm = file.readframes(file.getnframes())
    heard = bytearray()
    client = OpenAI(base_url=url, api_key=os.environ.get("S2S_TOKEN", "none is needed"))
    with client.realtime.connect(model="any") as connection:
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
    question, answer, url = [*sys.argv[1:], "http://localhost:8000/v1"][:3]
    ask(question, answer, url)
