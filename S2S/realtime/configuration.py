"""Configuration: the settings of a session in the form of the protocol."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from LLM.chat import answer_in
from pipeline.settings import ANY_TOOL, NO_TOOL, SOME_TOOL, EndpointerSettings, SessionSettings, Tool
from S2S.realtime.requests import RATE_HZ, Event

TurnDetection: TypeAlias = Literal["server_vad", "semantic_vad"]

_PCM = {"type": "audio/pcm", "rate": RATE_HZ}


@dataclass(frozen=True, slots=True)
class Configuration:
    """The operator's settings for a session of the server."""

    instructions: str
    """The system prompt, unless the client of the session has another."""
    voice: str | None = None
    turn_detection: TurnDetection = "server_vad"
    transcription: str | None = None
    """The model that transcribes the user's speech; None: the server transcribes nothing."""

    def of(self, settings: SessionSettings, *, by_hand: bool) -> Event:
        """The server's session configuration; `by_hand`: the user says when a turn ends."""
        voice = settings.voice or self.voice
        return {
            "output_modalities": ["audio" if settings.spoken else "text"],
            "instructions": (settings.instructions or self.instructions) + answer_in(settings.language),
            "tools": [_tool(tool) for tool in settings.tools],
            "tool_choice": _tool_choice(settings.tool_choice),
            "audio": {
                "input": {
                    "format": _PCM,
                    "transcription": self._transcription(settings.language),
                    "turn_detection": self._turn_detection(settings, by_hand),
                },
                "output": {"format": _PCM, **({"voice": voice} if voice else {})},
            },
        }

    def _transcription(self, language: str | None) -> Event | None:
        if self.transcription is None:
            return None
        return {"model": self.transcription, **({"language": language} if language else {})}

    def _turn_detection(self, settings: SessionSettings, by_hand: bool) -> Event | None:
        if by_hand or not settings.hands_free:
            return None
        endpointing = settings.endpointing
        detection: Event = {"type": self.turn_detection}
        if endpointing is not None and not endpointing.semantic:
            detection = {"type": "server_vad", **_numbers(endpointing)}
        yields = settings.interruptible
        return {**detection, "create_response": settings.answers, "interrupt_response": yields}


def _tool(tool: Tool) -> Event:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }


def _tool_choice(choice: str) -> str | Event:
    if choice in (ANY_TOOL, NO_TOOL, SOME_TOOL):
        return choice
    return {"type": "function", "name": choice}


def _numbers(endpointing: EndpointerSettings) -> Event:
    return {
        "threshold": endpointing.thresh,
        "prefix_padding_ms": int(endpointing.speech_pad_ms),
        "silence_duration_ms": int(endpointing.min_silence_ms),
    }
