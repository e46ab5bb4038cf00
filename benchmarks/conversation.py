"""Default engines, human questions of about three seconds, in real time: which part takes how long."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.figures import median, percentile, table
from benchmarks.program import ROOT
from benchmarks.speech import RATE_HZ, questions

QUESTIONS = 15
SECONDS = 3.0
PARTS = ("silence", "stt", "llm", "tts", "rest", "total")


SETTINGS = {
    "as it is": [],
    "with live partial transcripts": ["--json_events"],
    "without Smart Turn": ["--turn_detector", "silence"],
    "without speculation": ["--turn_detector", "silence", "--speculate", "false"],
}


def measure(flags: list[str]) -> dict[str, list[float]]:
    """Measure the milliseconds of each part, for every question that was answered."""
    silence = np.zeros(RATE_HZ, np.float32)
    with tempfile.TemporaryDirectory() as folder:
        asked, reply = Path(folder) / "questions.wav", Path(folder) / "reply.wav"
        spoken = [part for question in questions(SECONDS, QUESTIONS) for part in (question, silence)]
        soundfile.write(asked, np.concatenate(spoken), RATE_HZ)
        command = [sys.executable, "s2s_pipeline.py", "--mode", "file", "--realtime", "--llm", "eliza"]
        command += ["--input", str(asked), "--output", str(reply), *flags]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        turns = json.loads(reply.with_suffix(".transcript.json").read_text("utf-8"))["turns"]
    answered = [turn["latency"] for turn in turns if turn["heard"]]
    return {part: [latency[f"{part}_ms"] for latency in answered] for part in PARTS}


def main() -> str:
    """Run the benchmark and return its table."""
    rows: list[list[object]] = []
    for name, flags in SETTINGS.items():
        parts = measure(flags)
        medians = [f"{median(parts[part]):.0f}" for part in PARTS]
        rows.append([name, *medians, f"{percentile(parts['total'], 0.95):.0f}", len(parts["total"])])
    title = f"End of speech to first audio, default engines, human utterances of about {SECONDS:.0f} s"
    header = ["", *(f"{part}, median ms" for part in PARTS), "total, p95 ms", "answers"]
    return table(title, header, rows)


if __name__ == "__main__":
    print(main())
