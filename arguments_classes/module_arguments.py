"""ModuleArguments: the parts to use, and the options of every run."""

import os
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from arguments_classes.expect import expect
from catalog.environments import ENVIRONMENTS
from catalog.presets import preset_list
from catalog.registry import AUTO, CASCADE, EngineSpec, specs
from pipeline.language import is_language

_BEST = "or auto: the best one whose model is in the cache, else the built-in one"


def _names(stage: str) -> str:
    return ", ".join(spec.name for spec in specs(stage))


_ENVIRONMENTS = ", ".join(environment.name for environment in ENVIRONMENTS)

SERVERS = ("socket", "websocket", "realtime")
CAN_BE_ISOLATED = (*CASCADE, "s2s")

_SEVERAL = "; several, separated by commas: the next takes over from one that fails"


@dataclass
class ModuleArguments:
    """The parts of the pipeline, and the options of every run."""

    _argument_group_name: ClassVar[str] = "what to use"

    mode: Literal["socket", "websocket", "realtime", "local", "file"] = field(
        default="socket",
        metadata={
            "help": "source and destination of the audio: two TCP ports (socket), a web page and a "
            "WebSocket (websocket; realtime is the same), this machine's microphone and loudspeaker "
            "(local), or a recording (file)"
        },
    )
    preset: str | None = field(
        default=None,
        metadata={"help": f"a set of parts and models; other flags override it: {preset_list()}"},
    )
    local_mac_optimal_settings: bool = field(default=False, metadata={"help": "same as --preset mac"})
    vad: str = field(default="silero", metadata={"help": f"voice activity detector: {_names('vad')}"})
    stt: str = field(
        default=AUTO,
        metadata={"help": f"speech to text: {_names('stt')}, {_BEST}{_SEVERAL}"},
    )
    llm: str = field(
        default=AUTO,
        metadata={
            "help": f"language model: {_names('llm')}, or auto: a server on this machine, else smollm2, "
            "else eliza; several, separated by commas, as for --stt"
        },
    )
    tts: str = field(
        default=AUTO,
        metadata={"help": f"text to speech: {_names('tts')}, {_BEST}{_SEVERAL}"},
    )
    s2s: str | None = field(
        default=None,
        metadata={"help": f"speech to speech, in place of stt, llm and tts: {_names('s2s')}{_SEVERAL}"},
    )
    language: str | None = field(
        default=None,
        metadata={
            "help": "language of both sides, an ISO 639-1 code such as te; default: the one that the "
            "recognizer reports"
        },
    )
    reply_mode: str = field(
        default_factory=lambda: os.environ.get("REPLY_MODE", "").strip().lower() or "turn",
        metadata={
            "help": "turn: answer when the user has finished; stream: answer phrase by phrase (--s2s "
            "tone: at once) while the user is still speaking, and let nothing interrupt the reply. The "
            "environment variable REPLY_MODE sets the default"
        },
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = field(
        default="auto",
        metadata={"help": "device for every model that can use it; a part's own flag overrides it"},
    )
    isolate: str | None = field(
        default=None,
        metadata={
            "help": "stages whose engines run in processes of their own, such as stt,tts; none: only "
            "engines whose packages conflict with the others; default: those and, on a server, engines "
            "that spend a long time in Python code"
        },
    )
    audio_enhancement: bool = field(
        default=False,
        metadata={"help": "remove steady noise (a fan, a street) from the microphone's audio"},
    )
    install: str | None = field(
        default=None,
        metadata={
            "help": f"install an engine that needs an environment of its own, then exit: {_ENVIRONMENTS}"
        },
    )
    check: bool = field(
        default=False,
        metadata={
            "help": "report on devices, engines, models, servers, ports and environment, then exit"
        },
    )
    download: bool = field(
        default=False, metadata={"help": "download every model that the chosen parts need, then exit"}
    )
    list_voices: bool = field(
        default=False, metadata={"help": "list the voices of --tts or --s2s, then exit"}
    )
    json_events: bool = field(
        default=False, metadata={"help": "write every event to standard output as one line of JSON"}
    )
    record: str | None = field(
        default=None,
        metadata={
            "help": "folder in which to keep every session: audio of both sides, events and their "
            "times; --mode file --input FOLDER/SESSION replays one"
        },
    )
    latency: bool = field(
        default=False,
        metadata={
            "help": "--mode local: show after each answer where its time went (the key L does so, too)"
        },
    )
    latency_report: str | None = field(
        default=None,
        metadata={
            "help": "HTML page to write at the end, such as out.html; it shows where the time of each "
            "turn went"
        },
    )
    log_level: Literal["debug", "info", "warning", "error"] = field(
        default="warning", metadata={"help": "lowest severity to log to standard error"}
    )
    log_format: Literal["text", "json"] = field(
        default="text",
        metadata={"help": "text: plain lines; json: one JSON object per line"},
    )
    log_transcripts: bool = field(
        default=False,
        metadata={"help": "show transcripts even if a server's output goes to a file or a pipe"},
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
        """True if this engine runs in a process of its own."""
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
