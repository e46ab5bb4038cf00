"""ModuleArguments: which parts to use."""

import os
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from catalogue.environments import ENVIRONMENTS
from catalogue.presets import preset_list
from catalogue.registry import AUTO, CASCADE, EngineSpec, specs
from pipeline.language import is_language

_BEST = "or auto: the best whose model is in the cache, else the plain one"


def _names(stage: str) -> str:
    return ", ".join(spec.name for spec in specs(stage))


_ENVIRONMENTS = ", ".join(environment.name for environment in ENVIRONMENTS)

SERVERS = ("socket", "websocket", "realtime")
CAN_BE_ISOLATED = CASCADE

_SEVERAL = "; several by commas: the next takes over from one that fails"


@dataclass
class ModuleArguments:
    """What every run chooses."""

    _argument_group_name: ClassVar[str] = "what to use"

    mode: Literal["socket", "websocket", "realtime", "local", "file"] = field(
        default="socket",
        metadata={
            "help": "where audio comes from and goes to: two TCP ports; a page in the browser and a "
            "WebSocket (realtime: the same); this machine's microphone and loudspeaker; or a recording"
        },
    )
    preset: str | None = field(
        default=None,
        metadata={"help": f"a set of parts and models, over which other flags win: {preset_list()}"},
    )
    local_mac_optimal_settings: bool = field(
        default=False, metadata={"help": "the same as --preset mac"}
    )
    vad: str = field(default="silero", metadata={"help": f"voice activity: {_names('vad')}"})
    stt: str = field(
        default=AUTO, metadata={"help": f"speech to text: {_names('stt')}, {_BEST}, built in{_SEVERAL}"}
    )
    llm: str = field(
        default=AUTO,
        metadata={
            "help": f"language model: {_names('llm')}, or auto: a server on this machine, else eliza, "
            "a stand-in; several by commas, as of stt"
        },
    )
    tts: str = field(
        default=AUTO, metadata={"help": f"text to speech: {_names('tts')}, {_BEST}, built in{_SEVERAL}"}
    )
    s2s: str | None = field(
        default=None,
        metadata={"help": f"speech to speech, in the place of stt, llm and tts: {_names('s2s')}"},
    )
    language: str | None = field(
        default=None,
        metadata={
            "help": "what is spoken, both ways: an ISO 639-1 code such as te; by default what the "
            "recognizer hears"
        },
    )
    reply_mode: str = field(
        default_factory=lambda: os.environ.get("REPLY_MODE", "").strip().lower() or "turn",
        metadata={
            "help": "turn: answer when you have finished; stream: answer phrase by phrase (--s2s tone: "
            "at once) while you speak on, and let nothing interrupt it; default: $REPLY_MODE, else turn"
        },
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = field(
        default="auto",
        metadata={"help": "where models run that can choose; a part's own device flag wins"},
    )
    isolate: str | None = field(
        default=None,
        metadata={
            "help": "engines that get a process of their own, such as stt,tts; none: only those whose "
            "packages do not go with the others; default: in a server those that compute long in Python"
        },
    )
    audio_enhancement: bool = field(
        default=False,
        metadata={"help": "take steady noise (a fan, a street) out of what the microphone hears"},
    )
    install: str | None = field(
        default=None,
        metadata={
            "help": f"make an environment for engines that need their own, then end: {_ENVIRONMENTS}"
        },
    )
    check: bool = field(
        default=False,
        metadata={"help": "look at devices, engines, models, servers, ports and environment, then end"},
    )
    download: bool = field(default=False, metadata={"help": "get all models that this needs, then end"})
    list_voices: bool = field(
        default=False, metadata={"help": "print the voices of the synthesizer, then end"}
    )
    json_events: bool = field(
        default=False, metadata={"help": "write every event as one line of JSON to standard output"}
    )
    record: str | None = field(
        default=None,
        metadata={
            "help": "a folder that keeps every session: audio of both sides, events and their times; "
            "--mode file --input FOLDER/SESSION replays one"
        },
    )
    latency_report: str | None = field(
        default=None,
        metadata={"help": "a page to write at the end, out.html: where the time of each turn went"},
    )
    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="warning", metadata={"help": "what is logged to standard error"}
    )
    log_format: Literal["text", "json"] = field(
        default="text", metadata={"help": "lines for people, or a JSON object in each for machines"}
    )
    log_transcripts: bool = field(
        default=False,
        metadata={"help": "also show what was said where output goes to a file or a pipe of a server"},
    )

    def __post_init__(self) -> None:
        known = self.reply_mode in ("turn", "stream")
        expect(known, "reply_mode (or REPLY_MODE)", "turn or stream", self.reply_mode)
        is_code = self.language is None or is_language(self.language)
        expect(is_code, "language", "an ISO 639-1 code such as en or te", self.language)
        wanted = self._isolated_by_hand
        possible = ", ".join(CAN_BE_ISOLATED)
        expect(wanted <= {*CAN_BE_ISOLATED}, "isolate", f"none, or some of {possible}", self.isolate)
        chosen = "llm" not in wanted or self.llm != AUTO
        expect(chosen, "llm", "a language model by name, for --isolate llm", self.llm)

    def isolates(self, spec: EngineSpec) -> bool:
        """Whether this engine gets a process of its own."""
        if spec.stage not in CAN_BE_ISOLATED:
            return False
        if spec.environment is not None or spec.foreign:
            return True
        if self.isolate is None:
            return spec.long_in_python and self.mode in SERVERS
        return spec.stage in self._isolated_by_hand

    @property
    def _isolated_by_hand(self) -> set[str]:
        return set() if self.isolate in (None, "none") else set(str(self.isolate).split(","))
