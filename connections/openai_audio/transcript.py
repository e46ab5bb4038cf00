"""Transcript: the segments of a recording, in the formats of OpenAI's API."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from connections.openai_audio.dictation import Segment
from pipeline.language import english_name

TranscriptFormat: TypeAlias = Literal["json", "text", "verbose_json", "srt", "vtt"]

JSON, PLAIN, SRT, VTT = "application/json", "text/plain", "application/x-subrip", "text/vtt"


@dataclass(frozen=True, slots=True)
class Transcript:
    """All segments of a recording, in order."""

    segments: Sequence[Segment]
    duration_s: float
    damage: str = ""
    """The remark on a recording of which something is missing."""

    @property
    def text(self) -> str:
        """The words."""
        return " ".join(segment.text for segment in self.segments)

    def written(self, as_format: TranscriptFormat) -> tuple[str, str]:
        """The transcript in a format, and its media type."""
        match as_format:
            case "text":
                return f"{self.text}\n", PLAIN
            case "srt":
                return self._srt(), SRT
            case "vtt":
                return f"WEBVTT\n\n{self._cues('.')}", VTT
            case "verbose_json":
                return json.dumps(self._verbose()), JSON
        return json.dumps({"text": self.text, "usage": self.usage, **self.warning}), JSON

    @property
    def warning(self) -> dict[str, str]:
        """The field that tells of a damaged recording, in the formats that have room for it."""
        return {"warning": self.damage} if self.damage else {}

    @property
    def usage(self) -> dict[str, Any]:
        """The length of the recording, as OpenAI bills it."""
        return {"type": "duration", "seconds": round(self.duration_s, 3)}

    def _verbose(self) -> dict[str, Any]:
        codes = (segment.language for segment in self.segments if segment.language is not None)
        language = next((english_name(code).lower() for code in codes), None)
        return {
            "task": "transcribe",
            "language": language,
            "duration": round(self.duration_s, 3),
            "text": self.text,
            "segments": [
                {
                    "id": number,
                    "start": round(segment.start_s, 3),
                    "end": round(segment.end_s, 3),
                    "text": segment.text,
                }
                for number, segment in enumerate(self.segments)
            ],
            "usage": self.usage,
            **self.warning,
        }

    def _srt(self) -> str:
        cues = self._cues(",").split("\n\n")
        return "\n\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1) if cue) + "\n\n"

    def _cues(self, mark: str) -> str:
        return "".join(
            f"{_clock(each.start_s, mark)} --> {_clock(each.end_s, mark)}\n{each.text}\n\n"
            for each in self.segments
        )


def _clock(seconds: float, mark: str) -> str:
    """A time as subtitles write it: 00:01:02.345, with `mark` before the milliseconds."""
    ms = round(1000 * seconds)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{mark}{ms % 1000:03}"
