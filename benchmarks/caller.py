"""The program in a process of its own, with people who speak to it in real time; run by path.

Takes a `Call` as JSON in its argument, and prints an `Answer` as JSON for each question. The folder in
PYTHONPATH may hold an older version of the program, so only names that both versions have are imported.
"""

import functools
import importlib
import importlib.util
import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

WINDOW_MS = 32
PATIENCE_S = 15.0
"""Longest wait for an answer after its question, even on a busy machine; the sink plays it at once."""

EARLY_S = 0.5
"""An answer to speech that ended more than this before the end of the question is to its beginning."""

REST = 15
"""Windows of silence after an answer, half a second, in which its echo would decay."""

NOTHING = "nothing"
"""Stands in a patch for a function that does nothing."""


@dataclass
class Call:
    """The questions, the number of people who ask them at once, and the settings of the program."""

    questions: list[tuple[str, float]]
    """Sound files, and the second at which the speech in each ends."""
    flags: list[str]
    people: int = 1
    patches: dict[str, Any] = field(default_factory=dict)
    """Values for attributes of modules ("module:attribute" or "module:Class.attribute"): parts of the
    program switched off."""
    limit_threads: bool = True


@dataclass
class Answer:
    """The answer to one question."""

    file: str
    person: int
    latency: dict[str, float | None] = field(default_factory=dict)
    """Empty if no answer came."""
    marks: dict[str, float] = field(default_factory=dict)
    """Milliseconds since the end of speech, by the name of the step."""


class InstantSink:
    """Plays a reply as fast as it comes, so that the next question need not wait."""

    rate_hz = 24000
    frame_samples = 480
    full_duplex = False

    def room_at(self, now: float) -> float:
        return now

    def play(self, frame: Any) -> None:
        pass

    def unheard(self, now: float) -> int:
        return 0

    def heard_all_at(self, now: float) -> float:
        return now

    def flush(self, turn: int, sample: int) -> bool:
        return False

    def duck(self, turn: int, gain: float) -> bool:
        return True


def patch(patches: dict[str, Any]) -> None:
    """Replace attributes of modules, or of classes in them. They must exist."""
    for place, value in patches.items():
        module, _, attribute = place.partition(":")
        *owners, name = attribute.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        getattr(owner, name)
        setattr(owner, name, (lambda *_, **__: None) if value == NOTHING else value)


def converse(engines: Any, person: int, call: Call) -> list[Answer]:
    """Ask every question, each when the answer to the last is over."""
    import numpy as np
    import soundfile

    from pipeline.audio import resample
    from pipeline.events import ErrorEvent, TurnDone
    from s2s_pipeline import build_pipeline

    session = build_pipeline(engines, InstantSink())
    mail = session.events.subscribe()
    rate_hz = engines.capture[0]
    window = rate_hz * WINDOW_MS // 1000
    silence = np.zeros(window, np.float32)
    due = time.monotonic()

    def hear(samples: Any) -> None:
        nonlocal due
        due += WINDOW_MS / 1000
        time.sleep(max(0.0, due - time.monotonic()))
        session.feed(samples, rate_hz, due - WINDOW_MS / 1000)

    def ask(file: str, ends_s: float) -> Answer:
        samples, file_rate_hz = soundfile.read(file, dtype="float32")
        audio, began = resample(samples, file_rate_hz, rate_hz), due
        answer = Answer(file, person)
        for start in range(0, len(audio) - window + 1, window):
            hear(audio[start : start + window])
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not answer.latency:
            hear(silence)
            while (event := mail.fetch(0)) is not None:
                if isinstance(event, ErrorEvent):
                    print(f"{file}: {event.text}", file=sys.stderr)
                if not isinstance(event, TurnDone) or event.state != "done" or not event.heard:
                    continue
                zero = event.marks["speech_end"]
                if zero > began + ends_s - EARLY_S:
                    answer.latency = asdict(event.latency)
                    answer.marks = {name: 1000 * (at - zero) for name, at in event.marks.items()}
        for _ in range(REST):
            hear(silence)
        return answer

    shift = person * len(call.questions) // call.people
    answers = [ask(*question) for question in call.questions[shift:] + call.questions[:shift]]
    session.close("the questions are over")
    session.join(5)
    return answers


def main(call: Call) -> None:
    """Load the engines, talk to them, and print the answers."""
    if call.limit_threads and importlib.util.find_spec("utils.threads"):
        from utils.threads import apply_thread_limits

        apply_thread_limits()
    patch(call.patches)
    importlib.import_module("s2s_pipeline")
    from command_line.parse import parse_command_line
    from engines.loader import load_engines

    engines = load_engines(parse_command_line(call.flags))
    answers: list[list[Answer]] = []

    def talk(person: int) -> None:
        answers.append(converse(engines, person, call))

    people = [threading.Thread(target=talk, args=(person,)) for person in range(call.people)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    print(json.dumps([asdict(answer) for said in answers for answer in said]), flush=True)


if __name__ == "__main__":
    main(Call(**json.loads(sys.argv[1])))
