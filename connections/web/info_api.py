"""The route that describes the program to its faces: parts, voices, languages, offers."""

import asyncio
import dataclasses
from typing import Any

from fastapi import APIRouter
from fastapi.requests import Request
from fastapi.responses import JSONResponse

from connections.access.authenticator import Authenticator
from engines.offer_state import OfferState
from engines.upgrades import Upgrades
from pipeline.capabilities import Capabilities
from pipeline.description import Description
from pipeline.language import english_name
from utils.version import program_and_version


def info_routes(
    authenticator: Authenticator, capabilities: Capabilities, upgrades: Upgrades | None
) -> APIRouter:
    """The route; any client that may talk may ask."""
    routes = APIRouter()
    name, _, version = program_and_version().rpartition(" ")

    @routes.get("/v1/info")
    async def info(request: Request) -> JSONResponse:
        """A description of the engines, and of how conversations with them go."""
        grant = authenticator.admit(request)
        offers: list[OfferState] = []
        if upgrades is not None:
            offers = await asyncio.to_thread(upgrades.offers)
        return JSONResponse(
            {
                "program": {"name": name, "version": version},
                **_described(capabilities.describe()),
                "turn_taking": {
                    "takes_turns": capabilities.duplex,
                    "takes_text": capabilities.texts,
                    "patience": "normal",
                },
                "offers": [offer.plain() for offer in offers],
                "may_change": authenticator.is_operator(request, grant),
            }
        )

    return routes


def _described(program: Description) -> dict[str, Any]:
    named = {voice.language: english_name(voice.language) for voice in program.voices if voice.language}
    return {
        "private": program.private,
        "parts": [{**dataclasses.asdict(part), "title": part.title} for part in program.parts],
        "voices": [
            {
                "name": voice.name,
                "language": voice.language,
                "language_name": named.get(voice.language or ""),
            }
            for voice in program.voices
        ],
        "voice": program.voice,
        "languages": [{"code": code, "name": english_name(code)} for code in program.languages],
    }
