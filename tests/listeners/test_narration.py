"""Narration: sentences from pieces, and lengths of speech in place of words that an engine did not
write."""

from collections.abc import Iterable

from listeners.narration import Narration
from listeners.sentences import MAX_PENDING_CHARS, PAUSE_S
from pipeline.events import (
    ErrorEvent,
    Event,
    FramesLate,
    Interrupted,
    ReplyStarted,
    ReplyText,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    TurnCommitted,
    TurnDone,
)
from pipeline.latency import Latency

SPEECH = (SpeechStarted(16000), SpeechEnded(38400), TurnCommitted(1, "speech", True))


def done(turn: int = 1, state: str = "done", **marks: float) -> TurnDone:
    return TurnDone(turn, state, "complete", "", "", Latency(), (), marks)


def told(*events: Event, with_text: bool = True, times: Iterable[float] = ()) -> list[str]:
    """The lines of these events; `times`: when each piece of text begins to be heard."""
    clock = iter(times)
    narration = Narration(16000, with_text=with_text, now=lambda: next(clock, 0.0))
    return [line.text for event in events for line in narration.lines(event)]


def test_a_turn_without_words() -> None:
    events = (*SPEECH, ReplyStarted(1), done(first_audio=1.0, heard_to=2.5))
    assert told(*events) == ["    you: (1.4 s of speech)", "machine: (1.5 s of speech)"]
    assert told(*events, with_text=False) == []


def test_words_of_one_side() -> None:
    answer = (ReplyStarted(1), ReplyText(1, "Fine."), done(first_audio=1.0, heard_to=2.5))
    assert told(*SPEECH, *answer) == ["    you: (1.4 s of speech)", "machine: Fine."]
    words = Transcript(1, "How are you?", "en")
    tone = (ReplyStarted(1), done(first_audio=1.0, heard_to=2.5))
    assert told(*SPEECH, words, *tone) == ["    you: How are you?", "machine: (1.5 s of speech)"]


def test_an_answer_while_the_user_speaks() -> None:
    began = (SPEECH[0], SPEECH[2], ReplyStarted(1))
    assert told(*began) == ["    you: (speech)"]


def test_a_turn_that_failed() -> None:
    error = ErrorEvent("s2s", "failed", "its fuse has blown", 1)
    lines = ["    you: (1.4 s of speech)", "  error: its fuse has blown"]
    assert told(*SPEECH, error, done()) == lines


def test_pieces_become_sentences() -> None:
    pieces = [ReplyText(1, text) for text in ("We", "ll, it", " rains.", " It", " pours")]
    lines = ["machine: Well, it rains.", "machine: It pours", "         (interrupted: enough)"]
    assert told(*pieces, Interrupted(1, "", "enough"), done(state="interrupted")) == lines
    assert told(*pieces, done()) == lines[:2]
    assert told(*pieces, with_text=False) == []


def test_text_without_a_full_stop_does_not_wait_for_ever() -> None:
    live = TurnCommitted(1, "duplex", True), ReplyStarted(1)
    pieces = [ReplyText(1, text) for text in (" one", " two", " three")]
    assert told(*live, *pieces, times=(0, 1, 1.1 + PAUSE_S)) == ["machine: one two"]
    (line,) = told(*live, *(ReplyText(1, " word") for _ in range(MAX_PENDING_CHARS // 5 + 1)))
    assert len(line) > MAX_PENDING_CHARS
    assert told(*live, done(first_audio=0.0, heard_to=600.0)) == [], "mostly silence"


def test_no_word_is_cut() -> None:
    pieces = [ReplyText(1, text) for text in ("One wo", "rd", " more")]
    assert told(*pieces, done(), times=(0, 1.1 + PAUSE_S, 2 + PAUSE_S)) == [
        "machine: One",
        "machine: word more",
    ]
    letters = [ReplyText(1, text) for text in "longer " * 40]
    assert {word for line in told(*letters, done()) for word in line.split()} == {"machine:", "longer"}


def test_text_without_spaces_becomes_lines_too() -> None:
    (line,) = told(*(ReplyText(1, "言葉") for _ in range(MAX_PENDING_CHARS // 2 + 1)))
    assert len(line) > MAX_PENDING_CHARS


def test_nothing_said_is_no_mistake() -> None:
    error = ErrorEvent("vad", "nothing_said", "expected speech before it is committed, got none")
    assert told(error) == ["   note: I heard nothing."]


def test_late_frames() -> None:
    late = FramesLate(1, 3, 120.4), FramesLate(1, 1, 8.0)
    assert told(*late) == [
        "         (3 frames of the reply left out: up to 120 ms too late)",
        "         (1 frame of the reply left out: up to 8 ms too late)",
    ]


def test_words_that_come_while_they_are_answered() -> None:
    """The length stands in for the words only until it is known that the engine writes them at all."""
    first = (
        *SPEECH,
        ReplyStarted(1),
        Transcript(1, "How are you?", None),
        ReplyText(1, "Fine."),
        done(),
    )
    lines = ["    you: (1.4 s of speech)", "    you: How are you?", "machine: Fine."]
    assert told(*first) == lines
    begun = (TurnCommitted(2, "speech", True), ReplyStarted(2), ReplyText(2, "Yes."))
    late = Transcript(2, "And now?", None)
    assert told(*first, *begun, late, done(2)) == [*lines, "machine: Yes.", "    you: And now?"]
    assert told(*first, *begun, done(2)) == [*lines, "machine: Yes.", "    you: (speech)"]
