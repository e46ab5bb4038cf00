"""Routes that list the models and the voices."""

import time
from typing import Any

from fastapi import APIRouter
from fastapi.requests import Request

from connections.access.authenticator import Authenticator
from connections.access.http_errors import BadParameter
from connections.openai_audio.models import loaded
from pipeline.capabilities import Capabilities
from utils.installation import PACKAGE


def models_routes(authenticator: Authenticator, capabilities: Capabilities) -> APIRouter:
    """The routes; any client that may talk may ask."""
    routes = APIRouter()
    started = int(time.time())

    def described(name: str, tasks: list[str]) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": started, "owned_by": PACKAGE, "tasks": tasks}

    @routes.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        """The models that can be called."""
        authenticator.admit(request)
        data = [described(name, tasks) for name, tasks in loaded(capabilities).items()]
        return {"object": "list", "data": data}

    @routes.get("/v1/models/{name}")
    async def model(request: Request, name: str) -> dict[str, Any]:
        """One of them."""
        authenticator.admit(request)
        known = loaded(capabilities)
        if name not in known:
            names = " or ".join(known) or "none"
            raise BadParameter(
                f"expected a model of this server ({names}), got {name!r:.100}",
                "model",
                "model_not_found",
            )
        return described(name, known[name])

    @routes.get("/v1/audio/models")
    async def audio_models(request: Request) -> dict[str, Any]:
        """The models, in the form that Open WebUI asks for."""
        authenticator.admit(request)
        return {"models": [{"id": name} for name in loaded(capabilities)]}

    @routes.get("/v1/audio/voices")
    async def voices(request: Request) -> dict[str, Any]:
        """The voices, in the form that Open WebUI asks for."""
        authenticator.admit(request)
        named = capabilities.describe().voices if capabilities.synthesizer is not None else ()
        return {"voices": [{"id": voice.name, "name": voice.name} for voice in named]}

    return routes
