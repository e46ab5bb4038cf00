"""ModuleArguments: the parts to use, and the options of every run."""

import os
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias, get_args

from arguments_classes.expect import expect
from catalog.environments import ENVIRONMENTS
from catalog.registry import AUTO, CASCADE, EngineSpec, specs
from pipeline.language import is_language

_DETECTORS = ", ".join(spec.name for spec in specs("vad"))
_ENVIRONMENTS = ", ".join(environment.name for environment in ENVIRONMENTS)

Mode: TypeAlias = Literal["socket", "websocket", "realtime", "local", "file"]
MODES: tuple[Mode, ...] = get_args(Mode)
SERVERS = ("socket", "websocket", "realtime")
CAN_BE_ISOLATED = (*CASCADE, "s2s")


@dataclass
class ModuleArguments:
    """The parts of the pipeline, and the options of every run."""

    _argument_group_name: ClassVar[str] = "every run"

    mode: Mode = field(
        default="socket",
        metadata={
            "help": "local, websocket, file, socket or realtime",
            "metavar": "MODE",
        },
    )
    preset: str | None = field(
        default=None,
        metadata={"help": "parts that fit: offline, cpu, cuda, mac, duplex or classic"},
    )
    local_mac_optimal_settings: bool = field(default=False, metadata={"help": "same as --preset mac"})
    vad: str = field(default="silero", metadata={"help": f"voice activity detector: {_DETECTORS}"})
    stt: str = field(
        default=AUTO,
        metadata={
            "help": "speech to text; in whisper,moonshine the second takes over if the first fails; llm "
            "and tts likewise"
        },
    )
    llm: str = field(
        default=AUTO,
        metadata={"help": "language model; auto prefers a local server"},
    )
    tts: str = field(
        default=AUTO,
        metadata={"help": "text to speech"},
    )
    s2s: str | None = field(
        default=None,
        metadata={"help": "speech to speech, in place of stt, llm and tts"},
    )
    language: str | None = field(
        default=None,
        metadata={"help": "language of both sides, such as te; default: the one heard"},
    )
    reply_mode: str = field(
        default_factory=lambda: os.environ.get("REPLY_MODE", "").strip().lower() or "turn",
        metadata={
            "help": "turn: answer when the user has finished; stream: answer while the user speaks; "
            "REPLY_MODE sets the default"
        },
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = field(
        default="auto",
        metadata={"help": "device for models: cuda, mps, cpu or auto", "metavar": "NAME"},
    )
    isolate: str | None = field(
        default=None,
        metadata={
            "help": "stages to run in processes of their own, such as stt,tts, or none; default: where "
            "one would disturb others"
        },
    )
    audio_enhancement: bool = field(
        default=False,
        metadata={"help": "remove steady noise (a fan, a street) from the microphone's audio"},
    )
    install: str | None = field(
        default=None,
        metadata={"help": f"install an engine apart from the others: {_ENVIRONMENTS}"},
    )
    check: str | None = field(
        default=None,
        metadata={
            "help": "say what is missing and what to do; all: say everything",
            "nargs": "?",
            "const": "chosen",
            "metavar": "all",
        },
    )
    download: bool = field(
        default=False, metadata={"help": "download every model that the chosen parts need"}
    )
    list_voices: bool = field(default=False, metadata={"help": "list the voices of the chosen parts"})
    json_events: bool = field(
        default=False, metadata={"help": "write every event to standard output as one line of JSON"}
    )
    record: str | None = field(
        default=None,
        metadata={
            "help": "folder in which to keep every session: sound, events and times; --mode file "
            "--input replays one"
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
        metadata={"help": "HTML page to write at the end, which shows where the time of each turn went"},
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
        self.check = {"true": "chosen", "false": None}.get(str(self.check), self.check)
        expect(self.check in (None, "chosen", "all"), "check", "all, or no value", self.check)
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
