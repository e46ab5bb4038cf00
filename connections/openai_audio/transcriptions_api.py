"""``POST /v1/audio/transcriptions``, as OpenAI has it: the words of a recording."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import Response

from connections.access.authenticator import Authenticator, address_of
from connections.access.http_body import body_of
from connections.openai_audio.call_places import CallPlaces
from connections.openai_audio.dictation import Dictation, Segment
from connections.openai_audio.engine_calls import outputs
from connections.openai_audio.held_response import HeldResponse
from connections.openai_audio.models import expect_model, recognizer_of
from connections.openai_audio.recording import SentSound
from connections.openai_audio.server_sent import EVENT_STREAM, server_sent, with_errors
from connections.openai_audio.transcript import Transcript
from connections.openai_audio.transcription_request import TranscriptionRequest, transcription_request
from pipeline.capabilities import Capabilities
from STT.base import Recognizer

MAX_BODY = 26 << 20
"""Bytes: a file of 25 MB, the limit of OpenAI's API, and the other fields."""

UPLOAD_S = 300.0
"""Time that an upload may take: 25 MB at 0.7 Mbit/s."""


def transcriptions_routes(
    authenticator: Authenticator, capabilities: Capabilities, places: CallPlaces
) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post("/v1/audio/transcriptions")
    async def transcribe(request: Request) -> Response:
        authenticator.admit(request)
        recognizer = recognizer_of(capabilities)
        async with contextlib.AsyncExitStack() as held:
            held.enter_context(places.place(address_of(request)))
            wish = await _wish(request, recognizer.engine)
            expect_model(recognizer, wish.model)
            dictation = Dictation(
                recognizer, capabilities.detector, capabilities.endpointing, wish.language
            )
            sound = SentSound(wish.file, dictation.rate_hz)
            segments = outputs(request, "stt", lambda cancel: dictation.segments(sound, cancel))
            held.push_async_callback(segments.aclose)
            if not wish.stream:
                return await _answer(wish, segments, dictation, sound)
            first = await anext(segments, None)  # before the status is sent, so that it can be an error
            events = _events(first, segments, dictation, sound)
            return HeldResponse(with_errors(events), EVENT_STREAM, held.pop_all())

    return routes


async def _wish(request: Request, recognizer: Recognizer) -> TranscriptionRequest:
    """Read and parse the body, of which only the file is kept."""
    body = await body_of(request, MAX_BODY, UPLOAD_S)
    return transcription_request(request.headers.get("content-type", ""), body, recognizer)


async def _answer(
    wish: TranscriptionRequest,
    segments: AsyncIterator[Segment],
    dictation: Dictation,
    sound: SentSound,
) -> Response:
    heard = [segment async for segment in segments]
    transcript = Transcript(heard, dictation.duration_s, sound.damage)
    text, media_type = transcript.written(wish.response_format)
    return Response(text, media_type=media_type)


async def _events(
    first: Segment | None, rest: AsyncIterator[Segment], dictation: Dictation, sound: SentSound
) -> AsyncIterator[str]:
    """An event for each segment, and one for all."""
    segments = [] if first is None else [first]
    if first is not None:
        yield server_sent({"type": "transcript.text.delta", "delta": first.text})
    async for segment in rest:
        segments.append(segment)
        yield server_sent({"type": "transcript.text.delta", "delta": f" {segment.text}"})
    transcript = Transcript(segments, dictation.duration_s, sound.damage)
    done = {"type": "transcript.text.done", "text": transcript.text}
    yield server_sent({**done, **transcript.warning})
