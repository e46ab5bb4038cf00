"""Everyday questions to a language model: share of answers that are fit to be spoken, and right.

`python -m benchmarks.questions` compares Eliza, the built-in model, and other ways to prompt that model.
`--set tuning` asks the questions on which its settings were tuned; `--show` prints each answer.
"""

import argparse
import datetime
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from benchmarks.answers import WRONG, Question, faults, load_questions
from benchmarks.figures import table
from catalog.weights import SMOLLM2
from LLM.base import ChatModel
from LLM.brief import sentences_of
from LLM.chat import DEFAULT_PROMPT
from LLM.eliza import ElizaModel
from LLM.llama_cpp_chat import LlamaCppChatModel
from LLM.smollm2 import Manner, SmolLM2Model
from pipeline.messages import ChatMessage
from pipeline.turn import CancelToken

SHORT = "You are a friendly voice assistant. Answer in one short sentence."

EXAMPLES = (
    ("Hi", "Hello! How can I help you today?"),
    ("What are you?", "I'm a small language model, a computer program that talks with you."),
    ("What is the capital of Spain?", "The capital of Spain is Madrid."),
    ("I had a bad day.", "I'm sorry to hear that. What happened?"),
    ("What do I need to make tea?", "You need water, tea leaves, and a cup."),
    ("Thank you, bye.", "You're welcome. Goodbye!"),
)

CHOSEN = Manner()


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, and the faults that were found in it."""

    question: Question
    text: str
    faults: set[str]


def eliza(_seed: int) -> ChatModel:
    """Eliza."""
    return ElizaModel()


def bare(seed: int) -> ChatModel:
    """The model as llama.cpp runs it, with the prompt of the program."""
    path = str(SMOLLM2.path)
    return LlamaCppChatModel(path, "", "cpu", context=1024, parallel=4, gen_kwargs={"seed": seed})


def asked(manner: Manner = CHOSEN, **sampling: float) -> Callable[[int], ChatModel]:
    """The model, asked in this manner."""

    def create(seed: int) -> ChatModel:
        return SmolLM2Model(replace(manner, sampling={**manner.sampling, **sampling, "seed": seed}))

    return create


WAYS: Mapping[str, Callable[[int], ChatModel]] = {
    "eliza": eliza,
    "bare model": bare,
    "prompt only": asked(Manner(prompt=SHORT, opening=())),
    "prompt, six examples": asked(Manner(prompt=SHORT, opening=EXAMPLES)),
    "no opening": asked(Manner(opening=())),
    "smollm2": asked(),
    "one sentence": asked(Manner(sentences=1)),
    "temperature 0": asked(temperature=0.0),
    "temperature 0.8": asked(temperature=0.8),
    "DRY alone": asked(repeat_penalty=1.0),
    "no DRY": asked(dry_multiplier=0.0),
    "penalty 1.15 over 64": asked(repeat_penalty=1.15, repeat_last_n=64),
}


def ask(model: ChatModel, questions: Sequence[Question]) -> list[Answer]:
    """Ask all questions, as many at once as the model takes."""

    def one(question: Question) -> Answer:
        messages = [ChatMessage("system", DEFAULT_PROMPT)]
        for said, answered in question.history:
            messages += [ChatMessage("user", said), ChatMessage("assistant", answered)]
        messages.append(ChatMessage("user", question.text))
        answer = model.generate(messages, CancelToken())
        words = (piece for piece in answer if isinstance(piece, str))
        text = "".join(sentences_of(words, "en", model.info.max_sentences))
        return Answer(question, text, faults(question, text, datetime.datetime.now()))

    with ThreadPoolExecutor(model.info.slots) as callers:
        return list(callers.map(one, questions))


def rate(answers: Sequence[Answer], allowed: set[str]) -> int:
    """Percentage of the answers that have no faults except the allowed ones."""
    return round(100 * sum(answer.faults <= allowed for answer in answers) / len(answers))


def main() -> str:
    """Ask, and return the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=["tuning", "reported"], default="reported")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    questions = load_questions(options.set)
    kinds = list(dict.fromkeys(question.kind for question in questions))
    rows: list[list[object]] = []
    for way in options.ways:
        begun_at = time.perf_counter()
        answers: list[Answer] = []
        for seed in range(1, options.seeds + 1):
            with closing(WAYS[way](seed)) as model:
                answers += ask(model, questions)
        of_kind = defaultdict(list)
        for answer in answers:
            of_kind[answer.question.kind].append(answer)
            if options.show:
                print(f"{answer.question.text} ▶ {answer.text!r} {', '.join(sorted(answer.faults))}")
        print(
            f"{way}: {rate(answers, set())} %, form {rate(answers, {WRONG})} %, "
            f"{time.perf_counter() - begun_at:.0f} s,",
            dict(Counter(fault for answer in answers for fault in answer.faults)),
            flush=True,
        )
        rates = [rate(of_kind[kind], set()) for kind in kinds]
        rows.append([way, rate(answers, set()), rate(answers, {WRONG}), *rates])
    title = f"Everyday questions, set {options.set}: answers without a fault in %, {options.seeds} seeds"
    return table(title, ["", "all", "form", *kinds], rows)


if __name__ == "__main__":
    print(main())
