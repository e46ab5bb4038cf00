"""All routes of the audio API."""

from fastapi import APIRouter

from connections.access.authenticator import Authenticator
from connections.access.client_registry import ClientRegistry
from connections.openai_audio.call_places import CallPlaces
from connections.openai_audio.models_api import models_routes
from connections.openai_audio.speech_api import speech_routes
from connections.openai_audio.transcriptions_api import transcriptions_routes


def audio_routes(authenticator: Authenticator, registry: ClientRegistry) -> APIRouter:
    """The routes. Their calls use the engines of the conversations, and give way to these."""
    routes, places = APIRouter(), CallPlaces(registry)
    routes.include_router(models_routes(authenticator, registry.capabilities))
    routes.include_router(speech_routes(authenticator, registry.capabilities, places))
    routes.include_router(transcriptions_routes(authenticator, registry.capabilities, places))
    return routes
