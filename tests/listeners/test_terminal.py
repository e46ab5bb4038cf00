"""The live screen, as a terminal shows it: real sessions on a clock that the test advances."""

import io
import itertools
import os
import pty
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console

from listeners.display_state import DisplayState
from listeners.glyphs import glyphs_for
from listeners.key_list import key_list
from listeners.keys import Keys
from listeners.status_line import StatusLine
from listeners.terminal import Terminal
from pipeline.addressing import NOT_MEANT
from pipeline.errors import EngineError
from pipeline.events import (
    AudioLost,
    Event,
    PartialTranscript,
    ReplyText,
    SpeechStarted,
    Transcript,
    TurnDone,
)
from pipeline.latency import Latency
from pipeline.settings import EndpointerSettings, SessionSettings
from testing.conversation import Conversation
from testing.duplex import DuplexConversation
from testing.fakes import (
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedTurnDetector,
)
from testing.screen import Screen
from utils.keyboard import Key

STRUCK = "9"


CAUGHT_UP = AudioLost(0, "")


class Followed(Terminal):
    """A terminal that tells when it has caught up with the session."""

    def catch_up(self) -> None:
        self._caught_up = threading.Event()
        self._mail.post(CAUGHT_UP)
        assert self._caught_up.wait(60)

    def on_event(self, event: Event) -> None:
        if event is CAUGHT_UP:
            self.redraw()  # the last level may have come too soon after the one before
            self._caught_up.set()
        else:
            super().on_event(event)


class Shown:
    """A screen of this width, the terminal that draws on it, and the keys."""

    def __init__(self, conversation: Any, width: int, **options: Any) -> None:
        encoding = options.pop("encoding", "utf-8")
        self._raw = io.BytesIO()
        self._file = io.TextIOWrapper(self._raw, encoding, errors="backslashreplace", newline="")
        self._width = width
        self._conversation = conversation
        console = Console(file=self._file, force_terminal=True, width=width, height=24, _environ={})
        keys = key_list(conversation.session, has_offers=True)
        self.terminal = Followed(conversation.session, console, keys=keys, **options)
        self.keys = Keys(conversation.session, self.terminal)

    @property
    def written(self) -> str:
        self._file.flush()
        return self._raw.getvalue().decode(self._file.encoding)

    def screen(self) -> Screen:
        if self.terminal.alive:
            self.terminal.catch_up()
        screen = Screen(self._width)
        screen.feed(self.written)
        return screen

    def type(self, text: str) -> None:
        for key in (*text, Key.ENTER):
            self.keys.press(key)

    def end(self) -> Screen:
        self._conversation.session.close("stopped")
        self.terminal.join(60)
        return self.screen()


@contextmanager
def talking(width: int = 80, **options: Any) -> Iterator[tuple[Conversation, Shown]]:
    engines = {name: options.pop(name) for name in ("stt", "llm", "tts", "settings") if name in options}
    with Conversation(**engines) as conversation:
        shown = Shown(conversation, width, **options)
        yield conversation, shown
        shown.end()


def question(text: str = "A question.") -> ScriptedRecognizer:
    return ScriptedRecognizer(*[text] * 100)  # partial transcripts take some, too


def test_a_conversation() -> None:
    with talking(stt=question()) as (conversation, shown):
        conversation.ask()
        conversation.until_done(1)
        lines = shown.end().lines()
    assert lines[:2] == ["", "you  A question."]
    assert re.fullmatch(r"s2s  One sentence\. Another sentence\. +\d\.\d s", lines[2])
    assert len(lines[2]) == 80
    assert re.fullmatch(r"Ended after 1 turn, 0:\d\d\. The answer began within \d\.\d s\.", lines[3])
    assert not any(lines[4:])


def test_a_narrow_screen_wraps_beside_the_label() -> None:
    with talking(32, stt=question("Where does the weather come from?")) as (conversation, shown):
        conversation.ask()
        conversation.until_done(1)
        lines = shown.end().lines()
    assert lines[1:4] == [
        "you  Where does the weather come",
        "     from?",
        "s2s  One sentence. Another",
    ]
    assert re.fullmatch(r"     sentence\. +\d\.\d s", lines[4])


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_live_lines_fit(width: int) -> None:
    """A live line that wrapped would leave its first half behind at each picture."""
    with talking(width, stt=question("word " * 40)) as (conversation, shown):
        conversation.speak(400)
        conversation.wait(100)
        status = shown.screen().lines()[-1]
        assert re.match(r"● Hearing you   ▕.*▏", status)
        assert len(status.rpartition("▏")[0].partition("▕")[2]) == {40: 5, 60: 7, 80: 9, 120: 14}[width]
        conversation.wait(400)
        conversation.until_done(1)
        assert shown.end().text().count("Hearing") == 0


def test_an_answer_that_is_cut_off_is_struck_where_it_was_not_heard() -> None:
    answer = "One sentence. This one is so long that nobody hears all of it, whatever it may say."
    with talking(120, stt=question(), llm=ScriptedModel(answer)) as (conversation, shown):
        conversation.ask()
        conversation.until(lambda: bool(conversation.events(ReplyText)))
        conversation.wait(400)
        assert answer in shown.screen().text(), "it grows where it will stay"
        shown.keys.press(Key.ESCAPE)
        screen = shown.end()
    unheard = screen.styled(STRUCK)
    assert re.search(rf"s2s  {re.escape(answer)} — stopped +\d\.\d s\n", screen.text())
    assert answer.endswith(f" {unheard}")
    assert "One" not in unheard


def test_an_answer_that_is_stopped_before_it_begins_leaves_a_mark() -> None:
    model = ScriptedModel()
    model.hold.close()
    with talking(llm=model) as (conversation, shown):
        shown.keys.press("t")
        shown.type("Tell me a long story.")
        model.hold.wait_until_reached()
        shown.keys.press(Key.ESCAPE)
        conversation.until_done(1)
        lines = shown.end().lines()
    assert lines[1:3] == ["you  Tell me a long story.", "     — stopped before the answer began"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Where is the store?", "not taken as meant for me: “Where is the store?” Say it again, and I"),
        ("Mm hm.", ""),
    ],
)
def test_words_that_are_not_answered_are_shown_with_what_to_do(words: str, told: str) -> None:
    with talking() as (_, shown):
        for event in (
            SpeechStarted(0),
            PartialTranscript(words, 0),
            TurnDone(1, "done", NOT_MEANT, "", "", Latency(), (), {}),
        ):
            shown.terminal.on_event(event)
        lines = shown.end().lines()
    assert lines[0].strip() == (told or "Ended after 0 turns, 0:00.")


def test_typed_turns() -> None:
    with talking() as (conversation, shown):
        shown.keys.press("x")
        shown.keys.press("t")
        assert "Enter sends, Esc leaves" in shown.screen().text()
        shown.type("Hallo \x1b]0;evil\x07welt")
        conversation.until_done(1)
        shown.keys.press("t")
        shown.keys.press("?")
        assert shown.screen().lines()[-2] == "you  ?", "in a typed turn no letter is a key"
        shown.keys.press(Key.ESCAPE)
        lines = shown.end().lines()
    assert lines[1] == "you  Hallo ]0;evilwelt"
    assert lines[2].startswith("s2s  One sentence. Another sentence.")
    assert "welt" in str(conversation.llm.prompts[0])


def test_control_characters_never_reach_the_terminal() -> None:
    evil = "A \x1b[2J\x9b31m\u202eline\r\n\x07more"
    with talking(stt=question(evil), llm=ScriptedModel(evil + ".")) as (conversation, shown):
        conversation.ask()
        conversation.until_done(1)
        text = shown.end().text()
    assert "you  A  [2J 31m line more" in text
    assert "s2s  A  [2J 31m line more." in text


def test_keys_mute_list_and_show_where_the_time_goes() -> None:
    with talking(stt=question()) as (conversation, shown):
        shown.keys.press(" ")
        assert "⊘ Muted" in shown.screen().text()
        conversation.ask()
        assert "you  " not in shown.screen().text()
        shown.keys.press(" ")
        shown.keys.press("?")
        assert "Esc    stop the answer" in shown.screen().text()
        shown.keys.press("?")
        assert "Esc    stop the answer" not in shown.screen().text()
        conversation.ask()
        conversation.until_done(1)
        conversation.settle()
        shown.keys.press("l")
        text = shown.end().text()
    assert re.search(r"waited \d\.\d\d s: pause 0\.19", text)
    assert re.search(r"\n     pause +█+\n", text)


def test_a_failed_turn_is_shown_as_failed() -> None:
    model = ScriptedModel()
    model.error_after_words = 0, EngineError("the server is gone")
    with talking(stt=question(), llm=model) as (conversation, shown):
        conversation.ask()
        conversation.until_done(1)
        lines = shown.end().lines()
    assert lines[1:3] == ["you  A question.", "!    the server is gone"]


def test_a_terminal_without_unicode() -> None:
    with talking(40, encoding="ascii", stt=question("Déjà 語?")) as (conversation, shown):
        conversation.speak(320)
        assert re.fullmatch(r"\* Hearing you   \[#+ *\]", shown.screen().lines()[-1])
        conversation.wait(256)
        conversation.until_done(1)
        text = shown.end().text()
        assert "\\" not in shown.written
    assert "you  Deja ?" in text


def test_push_to_talk_does_not_count_the_wait_for_the_key() -> None:
    settings = SessionSettings(hands_free=False)
    with talking(settings=settings, stt=question()) as (conversation, shown):
        assert "○ Space to talk" in shown.screen().text()
        shown.keys.press(" ")
        conversation.speak(320)
        conversation.wait(3000)
        shown.keys.press(" ")
        conversation.until_done(1)
        text = shown.end().text()
    assert re.search(r"s2s  One sentence\. Another sentence\. +[01]\.\d s", text)


def test_a_duplex_session_shows_both_levels_and_who_speaks() -> None:
    with DuplexConversation() as conversation:
        shown = Shown(conversation, 100)
        conversation.say(1000, 0.2)
        text = shown.end().text()
    written = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.written)
    assert "Thinking" not in written
    assert re.search(r"Speaking +▕█+[█-▏]? *▏▕█+[█-▏]? *▏", written)
    assert re.search(r"Listening +▕█+[█-▏]? *▏▕ +▏", written)
    assert "s2s  0 10" in text


def test_push_to_talk_with_a_duplex_model() -> None:
    with DuplexConversation(settings=SessionSettings(hands_free=False)) as conversation:
        shown = Shown(conversation, 100)
        conversation.say(400)
        shown.keys.press(" ")
        conversation.say(400)
        shown.keys.press(" ")
        conversation.say(400)
        shown.end()
    states = re.findall("Space to talk|Hearing you|Thinking", shown.written)
    assert [state for state, _ in itertools.groupby(states)] == [
        "Space to talk", "Hearing you", "Space to talk"
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty")
def test_the_states_in_a_real_terminal() -> None:
    ours, theirs = pty.openpty()
    shown = bytearray()

    def read() -> None:
        while True:
            try:
                shown.extend(os.read(ours, 4096))
            except OSError:
                return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    with (
        os.fdopen(theirs, "w") as terminal,
        Conversation(
            stt=question(), turn_detector=ScriptedTurnDetector(0.0), endpointing=EndpointerSettings()
        ) as conversation,
    ):
        listener = Terminal(conversation.session, Console(file=terminal, force_terminal=True, width=100))
        conversation.speak(500)
        conversation.wait(500)
        conversation.until_done(1)
        conversation.wait(500)
        conversation.session.close("stopped")
        listener.join(60)
    reader.join(60)
    os.close(ours)
    text = shown.decode(errors="replace")
    states = "Listening", "Hearing you", "One moment…", "Thinking", "Speaking", "█", "A question."
    for word in (*states, "One sentence.", "Ended after 1 turn"):
        assert word in text, word


def test_a_narrow_screen_says_in_few_words_how_typing_ends() -> None:
    with talking(40) as (_, shown):
        shown.keys.press("t")
        assert shown.screen().text().endswith("  Enter sends")
        shown.keys.press(Key.ESCAPE)


def test_the_latency_of_an_earlier_answer_is_not_shown_within_the_next_one() -> None:
    with talking(stt=question(), llm=ScriptedModel("Short.", "An answer that goes on.")) as (
        conversation,
        shown,
    ):
        conversation.ask()
        conversation.until_done(1)
        conversation.ask()
        conversation.until(lambda: len(conversation.events(ReplyText)) == 2)
        shown.screen()
        shown.keys.press("l")
        assert "waited" not in shown.screen().text()
        conversation.until_done(2)
        assert shown.end().text().count("waited") == 1, "the answer that was going on"


@pytest.mark.parametrize("understood", [True, False])
def test_only_a_microphone_that_was_never_understood_is_asked_about(understood: bool) -> None:
    now = [0.0]
    with Conversation() as conversation:
        state = DisplayState(conversation.session.capabilities, "on")
    console = Console(file=io.StringIO(), width=80, _environ={})
    status = StatusLine(state, glyphs_for(console), with_keys=True, now=lambda: now[0])
    if understood:
        status.follow(Transcript(1, "A question.", None))
    now[0] = 10.0
    assert ("is it the right one?" in status.draw(120).plain) is not understood
    assert ("the right microphone?" in status.draw(80).plain) is not understood
