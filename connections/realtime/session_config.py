"""SessionConfig: the configuration of a Realtime session, and our `SessionSettings` for it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, get_args

from openai.types.realtime import (
    RealtimeFunctionTool,
    RealtimeResponseCreateParams,
    RealtimeSessionCreateRequest,
)
from openai.types.realtime.realtime_audio_config_output import Voice
from openai.types.realtime.realtime_audio_input_turn_detection import SemanticVad, ServerVad
from openai.types.responses import ToolChoiceFunction

from connections.realtime.client_events import Refusal
from connections.realtime.formats import FORMATS, PCM, AudioFormat
from pipeline.capabilities import Capabilities
from pipeline.errors import EngineError
from pipeline.settings import ANY_TOOL, EndpointerSettings, Patience, SessionSettings, Tool

TEXT, AUDIO = "text", "audio"

EAGERNESS: Final[Mapping[str, Patience]] = {
    "low": "slow", "medium": "normal", "auto": "normal", "high": "quick",
}  # fmt: skip
"""Eagerness to answer, in the words of the protocol ▶ the patience."""

OPENAI_VOICES: Final = frozenset(name for kind in get_args(Voice) for name in get_args(kind))
"""The voices that the protocol names. Clients ask for one of them by default; if the synthesizer does
not have it, the voice stays as it is."""

MAX_SILENCE_MS, MAX_PADDING_MS = 10_000, 2_000
MIN_IDLE_MS, MAX_IDLE_MS = 5_000, 30_000
"""The limits of the protocol."""


class SessionConfig:
    """Applies `session.update`; `shown` is the resulting configuration, as the client sees it."""

    def __init__(self, capabilities: Capabilities, settings: SessionSettings, instructions: str) -> None:
        self.settings = settings
        self.input_format = self.output_format = PCM
        self.transcribes = True
        """True if the client gets transcripts of the user's speech."""
        self.wants_partials = False
        """True if it gets them while the user is speaking, too."""
        self.idle_timeout_ms: int | None = None
        self._capabilities = capabilities
        detection = {"create_response": True, "interrupt_response": True}
        self.shown: dict[str, Any] = {
            "type": "realtime",
            "model": capabilities.name,
            "output_modalities": [AUDIO],
            "instructions": settings.instructions or instructions,
            "tools": [],
            "tool_choice": ANY_TOOL,
            "max_output_tokens": "inf",
            "truncation": "auto",
            "tracing": None,
            "prompt": None,
            "include": None,
            "audio": {
                "input": {
                    "format": {"type": PCM.name, "rate": PCM.rate_hz},
                    "transcription": None
                    if capabilities.duplex
                    else {"model": capabilities.name, "language": settings.language},
                    "noise_reduction": None,
                    "turn_detection": None
                    if capabilities.duplex
                    else {"type": "semantic_vad", "eagerness": "auto", **detection}
                    if capabilities.semantic
                    else {"type": "server_vad", **_numbers(capabilities.endpointing), **detection},
                },
                "output": {
                    "format": {"type": PCM.name, "rate": PCM.rate_hz},
                    "voice": settings.voice or "default",
                    "speed": 1.0,
                },
            },
        }

    def update(
        self,
        wanted: RealtimeSessionCreateRequest | RealtimeResponseCreateParams,
        *,
        begun: bool,
        scope: str = "session",
    ) -> list[Refusal]:
        """Apply the fields that can be applied; returns refusals of the others. `begun`: a reply was
        spoken already. Null resets a field of the session; in a response it means the session's
        value."""
        heard = getattr(wanted.audio, "input", None)
        spoken = getattr(wanted.audio, "output", None)
        steps: list[tuple[Any, str, Callable[[Any], None]]] = [
            (wanted, "output_modalities", self._take_modalities),
            (wanted, "instructions", self._take_instructions),
            (wanted, "tools", self._take_tools),
            (wanted, "tool_choice", self._take_tool_choice),
            (heard, "format", lambda value: self._take_format("input", value, begun=False)),
            (heard, "transcription", self._take_transcription),
            (heard, "turn_detection", self._take_turn_detection),
            (spoken, "format", lambda value: self._take_format("output", value, begun=begun)),
            (spoken, "voice", self._take_voice),
        ]
        refusals = []
        for model, name, take in steps:
            if model is None or name not in model.model_fields_set:
                continue
            value = getattr(model, name)
            if value is None and scope == "response":
                continue
            try:
                take(value)
            except Refusal as refusal:
                refusal.param = f"{scope}.{refusal.param}"
                refusals.append(refusal)
        return refusals

    def for_response(self, wanted: Any) -> tuple["SessionConfig", list[Refusal]]:
        """The configuration of one response, which may differ in some fields, and refusals of others."""
        config = copy.copy(self)
        config.shown = copy.deepcopy(self.shown)
        refusals = [] if wanted is None else config.update(wanted, begun=True, scope="response")
        return config, refusals

    @property
    def spoken(self) -> bool:
        """True if replies are spoken; else they are text."""
        return self.settings.spoken

    # ----------------------------------------------------------------------------------------------

    def _change(self, **changes: Any) -> None:
        self.settings = replace(self.settings, **changes)

    def _take_modalities(self, value: list[str] | None) -> None:
        value = [AUDIO] if value is None else value
        if value not in ([TEXT], [AUDIO]):
            raise Refusal(
                f'expected ["audio"] or ["text"], got {value!r:.100}', param="output_modalities"
            )
        if value == [TEXT] and self._capabilities.duplex:
            raise Refusal("this model speaks, it does not write", "unsupported", "output_modalities")
        self._change(spoken=value == [AUDIO])
        self.shown["output_modalities"] = value

    def _take_instructions(self, value: str | None) -> None:
        self._change(instructions=value or None)
        self.shown["instructions"] = value or ""

    def _take_tools(self, value: list[Any] | None) -> None:
        functions = [tool for tool in value or () if isinstance(tool, RealtimeFunctionTool)]
        if functions and not self._capabilities.tools:
            raise Refusal("this language model cannot call functions", "unsupported", "tools")
        for number, tool in enumerate(functions):
            if not tool.name:
                raise Refusal("expected a name", param=f"tools[{number}].name")
            if not isinstance(tool.parameters, (dict, type(None))):
                raise Refusal("expected a JSON schema", param=f"tools[{number}].parameters")
        self._change(
            tools=tuple(
                Tool(str(tool.name), tool.description or "", dict(tool.parameters or {}))  # type: ignore[call-overload]
                for tool in functions
            )
        )
        self.shown["tools"] = [tool.model_dump(exclude_unset=True) for tool in functions]
        if self.settings.tool_choice not in (ANY_TOOL, "none", "required", *self._tool_names):
            self._take_tool_choice(ANY_TOOL)

    @property
    def _tool_names(self) -> list[str]:
        return [tool.name for tool in self.settings.tools]

    def _take_tool_choice(self, value: Any) -> None:
        if isinstance(value, ToolChoiceFunction):
            if value.name not in self._tool_names:
                names = ", ".join(self._tool_names) or "none at all"
                raise Refusal(
                    f"expected a tool of {names}, got {value.name!r:.100}", param="tool_choice"
                )
            self._change(tool_choice=value.name)
            self.shown["tool_choice"] = value.model_dump()
        elif value is None or isinstance(value, str):
            self._change(tool_choice=value or ANY_TOOL)
            self.shown["tool_choice"] = value or ANY_TOOL

    def _take_format(self, side: str, value: Any, *, begun: bool) -> None:
        name = PCM.name if value is None else value.type
        if name not in FORMATS:
            raise Refusal(
                f"expected one of {', '.join(FORMATS)}, got {name!r}",
                param=f"audio.{side}.format",
            )
        wanted: AudioFormat = FORMATS[name]
        present = self.input_format if side == "input" else self.output_format
        if begun and wanted is not present:
            raise Refusal(
                "expected the format of the output before the first response",
                param="audio.output.format",
            )
        if side == "input":
            self.input_format = wanted
        else:
            self.output_format = wanted
        shown = {"type": wanted.name}
        self.shown["audio"][side]["format"] = shown | ({"rate": 24000} if wanted is PCM else {})

    def _take_transcription(self, value: Any) -> None:
        if self._capabilities.duplex:
            return  # not an error, as with turn detection: clients request it by default
        self.transcribes = self.wants_partials = value is not None
        if value is not None and "language" in value.model_fields_set:
            self._change(language=value.language)
        language = self.settings.language
        self.shown["audio"]["input"]["transcription"] = (
            None if value is None else {"model": self._capabilities.name, "language": language}
        )

    def _take_voice(self, value: Any) -> None:
        param = "audio.output.voice"
        if not isinstance(value, (str, type(None))):
            raise Refusal("expected a voice by its name", "unsupported", param)
        if value is not None:
            try:
                self._capabilities.expect_voice(value)
            except EngineError as error:
                if value in OPENAI_VOICES:
                    return
                raise Refusal(str(error), param=param) from error
        self._change(voice=value)
        self.shown["audio"]["output"]["voice"] = value or "default"

    def _take_turn_detection(self, value: ServerVad | SemanticVad | None) -> None:
        self.idle_timeout_ms = None
        if self._capabilities.duplex:
            return  # not an error: clients set it by default, though the model takes turns itself
        if value is None:
            self._change(hands_free=False, answers=False, interruptible=False, endpointing=None)
            self.shown["audio"]["input"]["turn_detection"] = None
            return
        usual = self._capabilities.endpointing
        if isinstance(value, SemanticVad):
            endpointing = usual.with_patience(EAGERNESS[value.eagerness or "auto"])
            shown: dict[str, Any] = (
                {"type": "semantic_vad", "eagerness": value.eagerness or "auto"}
                if self._capabilities.semantic
                else {"type": "server_vad", **_numbers(endpointing)}
            )
        else:
            endpointing = _endpointing(value, usual)
            self.idle_timeout_ms = value.idle_timeout_ms
            shown = {"type": "server_vad", **_numbers(endpointing)}
            shown["idle_timeout_ms"] = value.idle_timeout_ms
        answers, yields = value.create_response is not False, value.interrupt_response is not False
        self._change(hands_free=True, answers=answers, interruptible=yields, endpointing=endpointing)
        shown |= {"create_response": answers, "interrupt_response": yields}
        self.shown["audio"]["input"]["turn_detection"] = shown


def _endpointing(wanted: ServerVad, usual: EndpointerSettings) -> EndpointerSettings:
    """Endpointing by silence alone, with the client's numbers. Raises `Refusal`."""
    where = "audio.input.turn_detection."
    bounds: dict[str, tuple[float, float]] = {
        "threshold": (0, 1),
        "silence_duration_ms": (0, MAX_SILENCE_MS),
        "prefix_padding_ms": (0, MAX_PADDING_MS),
        "idle_timeout_ms": (MIN_IDLE_MS, MAX_IDLE_MS),
    }
    for name, (least, most) in bounds.items():
        value = getattr(wanted, name)
        if value is not None and not least <= value <= most:
            raise Refusal(f"expected {least:g} to {most:g}, got {value:g}", param=where + name)
    given = {
        "thresh": wanted.threshold,
        "min_silence_ms": wanted.silence_duration_ms,
        "speech_pad_ms": wanted.prefix_padding_ms,
    }
    changes: Mapping[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(usual, semantic=False, **changes)


def _numbers(endpointing: EndpointerSettings) -> dict[str, Any]:
    return {
        "threshold": endpointing.thresh,
        "prefix_padding_ms": int(endpointing.speech_pad_ms),
        "silence_duration_ms": int(endpointing.min_silence_ms),
    }
