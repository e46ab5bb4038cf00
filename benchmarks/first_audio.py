"""Time from the end of speech to the first audio, with human speech in real time, Moonshine, SmolLM2, a
voice of Piper and Smart Turn: how the wait is made up where the turn detector says *finished*, and its
mean and its shares under 500 and over 900 ms over all questions. Shows how much each part of the program
saves, or compares two checkouts:

    python -m benchmarks.first_audio --rounds 3 --only "as it is" "no speculation"
    python -m benchmarks.first_audio --vs ../yesterday

A comparison of checkouts gives both the same model, behind a server, since the older one may not run it
by itself. Runs are interleaved, each in a process of its own.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.caller import NOTHING, Answer, Call
from benchmarks.figures import machine, median, percentile, table
from benchmarks.program import ROOT
from benchmarks.speech import recordings
from catalog.weights import FETCH, JOE, SMOLLM2

PARTS = ("total", "silence", "stt", "llm", "tts", "rest")
STEPS = ("begun", "stt_start", "stt_first", "llm_first", "tts_first", "endpoint", "first_audio")

FINISHED_MS = 500
"""The pause that ends a question without the turn detector. After a shorter one, the detector said
*finished*."""

SOON_MS, LATE_MS = 500, 900

ANSWER_TOKENS = 24
PEOPLE = 4
QUESTIONS = 30

_ENGINES = ["--stt", "moonshine", "--tts", "piper", "--tts_model_name", str(JOE.path.parent)]


@dataclass(frozen=True)
class Setting:
    """A part of the program that is switched off, or another number of people."""

    flags: tuple[str, ...] = ()
    patches: dict[str, Any] = field(default_factory=dict)
    people: int = 1
    limit_threads: bool = True


SETTINGS = {
    "as it is": Setting(),
    "no speculation": Setting(("--speculate", "false")),
    "no turn detector": Setting(("--turn_detector", "silence")),
    "no first clause": Setting(patches={"LLM.sentences:FIRST_CLAUSE_CHARS": 1000}),
    "no reading ahead": Setting(patches={"LLM.read_ahead:ReadAhead.__call__": NOTHING}),
    "no warm-up": Setting(patches={"engines.starting:warm_up": NOTHING}),
    "threads not limited": Setting(limit_threads=False),
    "work begins after 96 ms": Setting(patches={"VAD.endpointer:SHORT_PAUSE_MS": 96}),
    "voice in one piece": Setting(patches={"TTS.vits:DECODER": "no such node"}),
    f"{PEOPLE} people at once": Setting(people=PEOPLE),
}


@dataclass
class Tree:
    """A checkout of the program, and how it gets its language model."""

    folder: Path
    llm: list[str]


def ask(tree: Tree, setting: Setting, questions: list[tuple[str, float]]) -> list[Answer]:
    """Ask the questions, in a process of their own."""
    flags = [*_ENGINES, *tree.llm, *setting.flags]
    call = Call(questions, flags, setting.people, setting.patches, setting.limit_threads)
    command = [sys.executable, "-P", str(ROOT / "benchmarks" / "caller.py"), json.dumps(asdict(call))]
    environment = os.environ | {"PYTHONPATH": str(tree.folder)}
    ended = subprocess.run(
        command, cwd=tree.folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return [Answer(**answer) for answer in json.loads(ended.stdout.splitlines()[-1])]


@contextlib.contextmanager
def model_server() -> Iterator[list[str]]:
    """llama.cpp in a process of its own. Yields the flags that choose it."""
    code = (
        "import sys, xllamacpp\n"
        "params = xllamacpp.CommonParams()\n"
        f"params.model.path, params.n_ctx, params.n_parallel = {str(SMOLLM2.path)!r}, 16384, 4\n"
        "params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2\n"
        "params.verbosity = -1\n"
        "server = xllamacpp.Server(params)\n"
        "print(server.listening_address, flush=True)\n"
        "sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) as server:  # type: ignore[call-overload]
        address = next(line for line in server.stdout if line.startswith("http")).strip()
        chosen = ["--llm", "openai", "--llm_base_url", f"{address}/v1", "--llm_model_name", "smollm2"]
        yield [*chosen, "--llm_gen_max_tokens", str(ANSWER_TOKENS)]
        server.communicate("")


def of(answer: Answer, part: str) -> float:
    """The milliseconds that the user waited for a part."""
    return answer.latency[f"{part}_ms"] or 0.0


def finished(runs: list[list[Answer]]) -> list[Answer]:
    """The answers to questions that sounded finished to the turn detector."""
    answers = [answer for run in runs for answer in run if answer.latency]
    return [answer for answer in answers if of(answer, "silence") < FINISHED_MS]


def row(name: str, runs: list[list[Answer]]) -> list[object]:
    """The figures of one setting, over all its runs. A question that was never answered is late."""
    every, counted = [answer for run in runs for answer in run], finished(runs)
    answered = [of(answer, "total") for answer in every if answer.latency]
    soon = sum(total < SOON_MS for total in answered)
    late = len(every) - sum(total <= LATE_MS for total in answered)
    starts = [share for run in runs if (share := first_turn(run)) is not None]
    totals = [of(answer, "total") for answer in counted]
    return [
        name,
        *(shown([of(answer, part) for answer in counted]) for part in PARTS),
        f"{percentile(totals, 0.95):.0f}" if totals else "–",
        f"{len(counted)} of {len(every)}",
        f"{mean(answered):.0f}" if answered else "–",
        f"{100 * soon / len(every):.0f} %",
        f"{100 * late / len(every):.0f} %",
        f"{median(starts):.2f}" if starts else "–",
    ]


def timeline(name: str, runs: list[list[Answer]]) -> list[object]:
    """The median time of each step after the end of speech."""
    marks = [answer.marks for answer in finished(runs)]
    return [name, *(shown([at[step] for at in marks if step in at]) for step in STEPS)]


def first_turn(run: list[Answer]) -> float | None:
    """Ratio of the times of the first and the last answer, both to the same question and without the
    pause. None if either is missing."""
    asked = [answer for answer in run if (answer.file, answer.person) == (run[0].file, run[0].person)]
    if not (asked[0].latency and asked[-1].latency):
        return None
    first, last = (of(answer, "total") - of(answer, "silence") for answer in (asked[0], asked[-1]))
    return first / max(1.0, last)


def shown(values: list[float]) -> str:
    """The median, if there is one."""
    return f"{median(values):.0f}" if values else "–"


def measure(
    trees: dict[str, Tree], settings: list[str], count: int, rounds: int
) -> dict[str, list[list[Answer]]]:
    """The runs of every tree in every setting, interleaved."""
    questions = [(str(file), ends_s) for file, ends_s in recordings()[:count]]
    questions.append(questions[0])
    runs: dict[str, list[list[Answer]]] = defaultdict(list)
    for _ in range(rounds):
        for tree_name, tree in trees.items():
            for name in settings:
                shown_name = " ".join(filter(None, (tree_name, name)))
                run = ask(tree, SETTINGS[name], questions)
                runs[shown_name].append(run)
                print(*row(shown_name, [run]), sep=" | ", file=sys.stderr, flush=True)
    return runs


def main() -> str:
    """Run the benchmark and return its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS), metavar="SETTING")
    parser.add_argument("--vs", type=Path, metavar="FOLDER", help="another checkout of the program")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--questions", type=int, default=QUESTIONS)
    wanted = parser.parse_args()
    if not (SMOLLM2.there and JOE.there):
        return f"First audio: the weights are missing; type: {FETCH}"
    if wanted.vs is None:
        own = Tree(ROOT, ["--llm", "smollm2"])
        runs = measure({"": own}, wanted.only, wanted.questions, wanted.rounds)
    else:
        with model_server() as llm:
            trees = {"there:": Tree(wanted.vs.resolve(), llm), "here:": Tree(ROOT, llm)}
            runs = measure(trees, ["as it is"], wanted.questions, wanted.rounds)
    header = [
        "",
        *(f"{part}, ms" for part in PARTS),
        "p95",
        "finished",
        "of all, mean",
        "of all under 500 ms",
        "of all over 900 ms",
        "first turn / later",
    ]
    title = f"First audio after the end of speech, real parts ({machine()})"
    about = (
        "Medians, where the turn detector says *finished*; the time of a part is the time that the user "
        "waits for it. *Of all* counts the others too: the mean is that of all answers, the shares are "
        "of all questions, and one without an answer took over 900 ms. Last column: the time of the "
        "first answer after the start, without its pause, divided by that to the same question at the "
        "end.\n"
    )
    tables = [table(title, header, [row(name, these) for name, these in runs.items()]), about]
    steps = [timeline(name, these) for name, these in runs.items()]
    tables.append(table("Milliseconds after the end of speech, medians", ["", *STEPS], steps))
    return "\n".join(tables)


if __name__ == "__main__":
    print(main())
