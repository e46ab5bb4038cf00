"""Checks of an answer that is to be spoken: its form, and whether it is right."""

import datetime
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

QUESTIONS = Path(__file__).with_name("questions.toml")

MAX_WORDS = 45
"""A quarter of a minute of speech."""

WRONG = "wrong"
"""The only fault that does not concern the form."""

_SCREEN = re.compile(
    r"https?:|www\.|\.com\b|"
    r"\b(website|link|image|picture|photo|click|screen|see below|attached|figure)\b",
    re.I,
)
"""Mentions of links, pictures or a screen, which a voice cannot show."""

_RELATIVES = (
    "wife|husband|kids|children|mom|mother|father|dad|girlfriend|boyfriend|son|daughter|brother|sister|house|"
    "body|boss|job|office|school|friends?|family|car|dog|cat|team"
)
_HUMAN = re.compile(
    rf"\bmy ({_RELATIVES})\b|\bas a (human|person|woman|man|student|teacher|professional)\b|years old|"
    r"\bI(?:'m| am) (?:a |an )?(?:human|man|woman|real person|student|teacher)\b|"
    r"\bI (ate|drank|slept|cooked|went|traveled|visited|live in|"
    r"grew up|was born|woke up|walked|drove|studied)\b",
    re.I,
)
"""Claims of a body or a life. "My friend" as a form of address counts, too; it is rare."""

_ANOTHER = re.compile(
    r"(?i:\bmy name is|\bcall me) (?i:(?!smol))\w|\bI(?:'m| am) (?!Smol|Eliza)[A-Z][a-z]+\b"
)
"""Claims of a name that is not its own."""

_CONDOLENCE = re.compile(r"sorry for your (loss|sake|pain)", re.I)
"""The model's answer to nearly everything that it does not understand; no question is about a death."""

_COMPANY = re.compile(
    r"\b(openai|google|microsoft|anthropic|apple inc|amazon|meta ai|facebook|ibm|alibaba|samsung|"
    r"chatgpt|gpt|siri|alexa)\b",
    re.I,
)
"""Companies and products that it falsely claims to come from: SmolLM2 is by Hugging Face."""

_MARKUP = re.compile(r"[*#`_|<>{}\[\]]|^\s*(\d+[.)]|[-•])\s|\n|\b(user|assistant|human|system):", re.I)

_ADMITS = r"(don't|do not|cannot|can't|no|not) (know|have|tell|see|able|access|clock|sure)"

_HOURS = [
    *("twelve", "one", "two", "three", "four", "five"),
    *("six", "seven", "eight", "nine", "ten", "eleven"),
]


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and the pattern that a right answer contains; see questions.toml."""

    kind: str
    text: str
    history: Sequence[Sequence[str]] = ()
    expects: str = ""

    def expected(self, now: datetime.datetime) -> re.Pattern[str]:
        """The pattern, with the date and the time filled in."""
        hour, month = now.hour % 12, now.strftime("%B")
        facts = {
            "time": rf"\b({hour or 12}|{_HOURS[hour]}|{now.hour}):?.{{0,3}}({now.minute:02}|o'clock)",
            "day": now.strftime("%A"),
            "date": rf"{month}.{{0,5}}{now.day}\b|\b{now.day}.{{0,8}}{month}",
            "month": month,
            "year": str(now.year),
        }
        pattern = self.expects
        for name, fact in facts.items():
            pattern = pattern.replace(f"{{{name}}}", f"{fact}|{_ADMITS}")
        return re.compile(pattern, re.I)


def load_questions(name: str) -> list[Question]:
    """The set `tuning` or `reported`."""
    return [Question(**question) for question in tomllib.loads(QUESTIONS.read_text("utf-8"))[name]]


def faults(question: Question, answer: str, now: datetime.datetime) -> set[str]:
    """The names of the checks that an answer fails."""
    answer = answer.strip()
    if not answer:
        return {"empty"}
    words, asked = _words(answer), _words(question.text)
    found = {
        "too many sentences": len(_sentences(answer)) > 2,
        "cut": not re.search(r"[.!?…][\"')”’]?$", answer),
        "length": not 2 <= len(words) <= MAX_WORDS,
        "loop": repeats(answer),
        "said before": any(words == _words(earlier) for _, earlier in question.history),
        "echo": len(asked) >= 3 and " ".join(asked) in " ".join(words),
        "screen": _SCREEN.search(answer),
        "human": _HUMAN.search(answer),
        "another name": _ANOTHER.search(answer),
        "condolence": _CONDOLENCE.search(answer),
        "company": _COMPANY.search(answer),
        "markup": _MARKUP.search(answer),
        WRONG: not question.expected(now).search(answer),
    }
    return {name for name, fault in found.items() if fault}


def repeats(text: str) -> bool:
    """True if a sentence or a run of four words occurs twice, or a run of two words four times."""
    words, sentences = _words(text), [" ".join(_words(sentence)) for sentence in _sentences(text)]
    runs = {length: Counter(_runs(words, length)) for length in (2, 4)}
    return (
        max(runs[4].values(), default=0) > 1
        or max(runs[2].values(), default=0) > 3
        or len(set(sentences)) < len(sentences)
    )


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + length]) for at in range(len(words) - length + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"(?<=[.!?])[\"']?\s+", text.strip()) if sentence]
