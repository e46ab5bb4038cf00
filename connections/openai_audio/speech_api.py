"""``POST /v1/audio/speech``, as OpenAI has it: a text read aloud."""

import base64
import contextlib
from collections.abc import AsyncIterator, Iterator

from fastapi import APIRouter
from fastapi.requests import Request

from connections.access.authenticator import Authenticator, address_of
from connections.access.http_body import body_of
from connections.openai_audio.call_places import CallPlaces
from connections.openai_audio.engine_calls import outputs
from connections.openai_audio.held_response import HeldResponse
from connections.openai_audio.models import expect_model, synthesizer_of
from connections.openai_audio.reading import Reading
from connections.openai_audio.server_sent import EVENT_STREAM, server_sent, with_errors
from connections.openai_audio.sound_encoder import MEDIA_TYPES, SoundEncoder, SoundFormat
from connections.openai_audio.speech_request import speech_request, voice_of
from pipeline.capabilities import Capabilities
from pipeline.turn import CancelToken

MAX_BODY = 1 << 16
"""Bytes: 4096 characters, each escaped as a pair of surrogates, and the other fields."""


def speech_routes(
    authenticator: Authenticator, capabilities: Capabilities, places: CallPlaces
) -> APIRouter:
    """The route. The first audio is sent while the rest is still being made."""
    routes = APIRouter()

    @routes.post("/v1/audio/speech")
    async def speak(request: Request) -> HeldResponse:
        authenticator.admit(request)
        synthesizer = synthesizer_of(capabilities)
        async with contextlib.AsyncExitStack() as held:
            held.enter_context(places.place(address_of(request)))
            wish = speech_request(await body_of(request, MAX_BODY), synthesizer.engine)
            expect_model(synthesizer, wish.model)
            voice = voice_of(wish, synthesizer.engine)
            reading = Reading(wish.input, voice, wish.language, synthesizer, capabilities.sound_source)
            encoded = outputs(
                request, "tts", lambda cancel: _encoded(reading, wish.response_format, cancel)
            )
            held.push_async_callback(encoded.aclose)
            first = await anext(encoded, b"")  # before the status is sent, so that it can be an error
            sound = _chained(first, encoded)
            if wish.stream_format == "sse":
                return HeldResponse(with_errors(_events(sound)), EVENT_STREAM, held.pop_all())
            return HeldResponse(sound, MEDIA_TYPES[wish.response_format], held.pop_all())

    return routes


def _encoded(reading: Reading, sound_format: SoundFormat, cancel: CancelToken) -> Iterator[bytes]:
    encoder = SoundEncoder(sound_format)
    for chunk in reading.audio(cancel):
        if data := encoder.feed(chunk):
            yield data
    yield encoder.end()


async def _chained(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for data in rest:
        yield data


async def _events(sound: AsyncIterator[bytes]) -> AsyncIterator[str]:
    async for data in sound:
        audio = base64.b64encode(data).decode()
        yield server_sent({"type": "speech.audio.delta", "audio": audio})
    yield server_sent({"type": "speech.audio.done"})
