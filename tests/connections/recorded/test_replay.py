"""A recorded session, replayed through the real pipeline faster than real time, has the same turns."""

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from arguments_classes.file_arguments import FileArguments
from connections.recorded.archive import Archive
from connections.recorded.file import FileConnection
from connections.recorded.session_folder import AUDIO, EVENTS, SessionFolder
from connections.recorded.session_recorder import SessionRecorder
from engines.engines import Cascade, Engines
from pipeline.clock import Clock, SampleClock
from pipeline.errors import UserError
from pipeline.events import ErrorEvent, Event, InputLevel, PartialTranscript, ReplyStarted
from pipeline.messages import ManualTurn
from pipeline.session import Session
from pipeline.settings import EndpointerSettings, SessionSettings
from pipeline.shared_engine import SharedEngine
from pipeline.sink import Sink
from s2s_pipeline import build_pipeline
from testing.conversation import hear
from testing.fakes import (
    RATE_HZ,
    LoudnessDetector,
    ScriptedModel,
    ScriptedRecognizer,
    ScriptedSynthesizer,
)
from testing.sinks import RecordingSink
from tests.command import run
from tests.socket_clients import wait_for
from tests.speech import silence, spoken
from utils.shutdown import StopRequest

WINDOW = 512
BOUNDARIES = ("SpeechStarted", "SpeechEnded", "SpeechCancelled")


def boundaries(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [
        (event["event"], event["sample"] if "sample" in event else event["speech_end_sample"])
        for event in events
        if event["event"] in BOUNDARIES
    ]


def scripted_engines(reply: str = "One sentence that takes a while. " * 8) -> Engines:
    stt, llm, tts = ScriptedRecognizer(), ScriptedModel(reply), ScriptedSynthesizer()
    cascade = Cascade(SharedEngine(stt), SharedEngine(llm), SharedEngine(tts))
    return Engines(LoudnessDetector(), EndpointerSettings(), cascade, check_sound=False)


class Kept:
    """A session on a clock that a test moves, with a recorder around it."""

    def __init__(
        self, folder: Path, *, full_duplex: bool = True, settings: SessionSettings = SessionSettings()
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.clock = SampleClock(RATE_HZ)
        sink = RecordingSink(self.clock.now, full_duplex=full_duplex)
        self.recorder = SessionRecorder(folder, sink)
        self.session = build_pipeline(
            scripted_engines(), self.recorder, settings=settings, clock=self.clock
        )
        self.recorder.attach(self.session)
        self.clock.on_advance(self.session.playout.wake)
        self.mail = self.session.events.subscribe()

    def hear(self, level: float, ms: int) -> None:
        whole_ms = ms - ms % 32
        hear(self.session, self.clock, np.full(WINDOW, level, np.float32), whole_ms)

    def close(self) -> list[dict[str, Any]]:
        self.session.close("over")
        assert self.session.join(60) == []
        self.recorder.join(60)
        lines = (self.folder / EVENTS).read_text().splitlines()
        return [json.loads(line) for line in lines][1:]


def replay(folder: Path, output: Path, reply: str = "One sentence that takes a while.") -> list[Event]:
    """Replay a session through the file connection, over engines that may answer differently."""
    events: list[Event] = []
    engines = scripted_engines(reply)

    def open_session(sink: Sink, label: str, clock: Clock | None = None) -> Session:
        session = build_pipeline(engines, sink, clock=clock)
        mail = session.events.subscribe()
        session.on_closed = lambda: events.extend(iter(lambda: mail.fetch(0), None))
        return session

    arguments = FileArguments(input=str(folder), output=str(output))
    FileConnection(arguments, StopRequest()).run(open_session)
    return events


def as_dicts(events: list[Event]) -> list[dict[str, Any]]:
    from pipeline.events import as_json

    return [as_json(event) for event in events]


def test_the_real_program_live_and_replayed(tmp_path: Path) -> None:
    """A user who talks over the replies, in real time; then the replay, as fast as the engines allow."""
    texts = ("What is the weather like in London today?", "Please tell me a short story.")
    parts = [part for text in texts for part in (silence(300), spoken(text), silence(900))]
    soundfile.write(tmp_path / "said.wav", np.concatenate(parts), RATE_HZ)
    flags = ["--mode", "file", "--json_events", "--output", str(tmp_path / "reply.wav")]
    flags += ["--llm", "eliza", "--tts", "espeak"]
    record = ("--record", str(tmp_path / "kept"), "--realtime", "--headphones")
    live = run(*flags, *record, "--input", str(tmp_path / "said.wav"))
    (folder,) = (tmp_path / "kept").iterdir()
    replayed = run(*flags, "--input", str(folder))
    assert live.returncode == replayed.returncode == 0
    before, after = (
        boundaries([json.loads(line) for line in ended.stdout.splitlines()])
        for ended in (live, replayed)
    )
    assert before == after
    assert len(before) >= 4
    assert "recording sessions in" in live.stderr


def test_who_spoke_over_a_reply_does_so_again(tmp_path: Path) -> None:
    """The reply may differ, and the engines take no time."""
    kept = Kept(tmp_path / "kept")
    kept.hear(0.5, 640)
    kept.hear(0.0, 1000)
    kept.hear(0.5, 1280)
    kept.hear(0.0, 1500)
    before = kept.close()
    assert any(event["event"] == "Interrupted" for event in before)
    after = as_dicts(replay(tmp_path / "kept", tmp_path / "reply.wav", "A reply. Another one."))
    assert boundaries(before) == boundaries(after)


def test_in_half_duplex_what_was_not_listened_to_is_not_now(tmp_path: Path) -> None:
    """The microphone heard the loudspeaker. In the replay that sound is ignored, though the reply is
    shorter."""
    kept = Kept(tmp_path / "kept", full_duplex=False)
    kept.hear(0.5, 640)
    kept.hear(0.0, 640)
    kept.hear(0.3, 400)
    kept.hear(0.0, 3500)
    kept.hear(0.5, 640)
    kept.hear(0.0, 1500)
    before = kept.close()
    assert len(boundaries(before)) == 4
    after = as_dicts(replay(tmp_path / "kept", tmp_path / "reply.wav", "Short."))
    assert boundaries(before) == boundaries(after)


def test_what_was_done_by_hand_is_done_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept", settings=SessionSettings(hands_free=False))
    kept.hear(0.5, 320)
    kept.session.feed(np.full(100, 0.5, np.float32), RATE_HZ)
    kept.session.start_speech()
    kept.hear(0.5, 640)
    kept.hear(0.0, 960)
    kept.session.commit_speech()
    kept.hear(0.0, 1500)
    kept.session.start_speech()
    kept.hear(0.5, 320)
    kept.session.cancel_speech()
    kept.hear(0.0, 320)
    before = kept.close()
    assert [name for name, _ in boundaries(before)] == [
        "SpeechStarted", "SpeechEnded", "SpeechStarted", "SpeechCancelled",
    ]  # fmt: skip
    after = as_dicts(replay(tmp_path / "kept", tmp_path / "reply.wav"))
    assert boundaries(before) == boundaries(after)
    assert [talk for _, talk in SessionFolder(tmp_path / "kept").signals] == [
        ManualTurn.START, ManualTurn.COMMIT, ManualTurn.START, ManualTurn.CANCEL,
    ]  # fmt: skip


def test_both_sides_are_kept_as_they_were_heard(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    kept.hear(0.987654, 640)
    kept.hear(0.0, 1000)
    kept.hear(0.9, 1280)
    events = kept.close()
    audio, rate_hz = soundfile.read(tmp_path / "kept" / AUDIO, dtype="float32")
    assert rate_hz == RATE_HZ
    assert np.all(audio[:10240, 0] == np.float32(0.987654)), "to the last bit"
    (began,) = [event["at_sample"] for event in events if event["event"] == "ReplyStarted"]
    said = np.flatnonzero(audio[:, 1])
    assert said[0] == pytest.approx(began, abs=WINDOW)
    stopped = next(event["at_sample"] for event in events if event["event"] == "Paused")
    assert said[-1] <= stopped + WINDOW, "what was flushed was never heard"


def test_others_cannot_look_into_it_and_a_name_is_only_a_name(tmp_path: Path) -> None:
    sink = RecordingSink(lambda: 0.0)
    archive = Archive(tmp_path / "kept")
    archive.keep(sink, "../../3 127.0.0.1")
    (folder,) = (tmp_path / "kept").iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.parent == tmp_path / "kept"


def test_a_disk_that_fails_ends_the_recording_and_not_the_conversation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise UserError("the disk is full")

    monkeypatch.setattr("connections.recorded.recording.Recording.add_user", full)
    kept = Kept(tmp_path / "kept")
    kept.hear(0.5, 640)
    kept.hear(0.0, 1000)
    kept.recorder._to_write.put(lambda: None)
    events: list[Any] = []

    def came(kind: type) -> bool:
        events.extend(iter(lambda: kept.mail.fetch(0), None))
        return any(isinstance(event, kind) for event in events)

    wait_for(lambda: came(ErrorEvent) and came(ReplyStarted), "the error, and an answer")
    kept.close()
    came(ErrorEvent)
    errors = [event for event in events if isinstance(event, ErrorEvent)]
    assert [error.text for error in errors] == ["the conversation goes on, but is no longer recorded"]
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize(
    "events",
    [
        None,
        "",
        "no json",
        "{}",
        "[" * 100_000,
        '{"full_duplex": true, "settings": {"unknown": 1}}',
        '{"full_duplex": true, "settings": {"reply_mode": "song"}}',
        *(
            '{"full_duplex": true, "settings": {}}\n' + line
            for line in (
                "[1]",
                "{}",
                '{"event": "ReplyStarted", "turn": 1}',
                '{"event": "ReplyStarted", "turn": 1, "at_sample": -1}',
                '{"event": "ReplyStarted", "turn": 1, "at_sample": 99999999999999}',
                '{"event": "ReplyStarted", "turn": 1, "at_sample": NaN}',
                '{"event": "TalkSignalled", "at_sample": "abc", "talk": "start"}',
                '{"event": "TalkSignalled", "at_sample": 0, "talk": "sing"}',
            )
        ),
    ],
)
def test_a_folder_that_is_none(tmp_path: Path, events: str | None) -> None:
    soundfile.write(tmp_path / AUDIO, np.zeros((100, 2)), RATE_HZ)
    if events is not None:
        (tmp_path / EVENTS).write_text(events)
    with pytest.raises(UserError, match="expected a recording, or a folder"):
        SessionFolder(tmp_path)


def test_a_folder_that_cannot_be_made_is_told_at_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written to"):
        Archive(tmp_path / "file" / "kept")


def test_the_recording_that_is_replayed_is_not_overwritten(tmp_path: Path) -> None:
    Kept(tmp_path / "kept").close()
    soundfile.write(tmp_path / "kept" / AUDIO, np.zeros((100, 2)), RATE_HZ)
    arguments = FileArguments(input=str(tmp_path / "kept"), output=str(tmp_path / "kept" / AUDIO))
    with pytest.raises(UserError, match="would overwrite the input"):
        FileConnection(arguments, StopRequest())


def test_a_voice_that_is_not_here_does_not_prevent_the_replay(tmp_path: Path) -> None:
    """The recording may come from a machine with another synthesizer."""
    kept = Kept(tmp_path / "kept", settings=SessionSettings(voice="high", reply_mode="stream"))
    kept.hear(0.5, 640)
    kept.hear(0.0, 1000)
    before = kept.close()
    header = tmp_path / "kept" / EVENTS
    header.write_text(header.read_text().replace('"high"', '"of old"'))
    events = replay(tmp_path / "kept", tmp_path / "reply.wav")
    assert boundaries(before) == boundaries(as_dicts(events))
    errors = [event for event in events if isinstance(event, ErrorEvent)]
    assert [(error.stage, error.code) for error in errors] == [("tts", "unknown_voice")]
    assert any(isinstance(event, ReplyStarted) for event in events)


def test_a_greeting_before_the_microphone_is_there_harms_nothing(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    kept.session.say("Good morning, this is a greeting of some length.")
    kept.clock.advance(WINDOW)
    kept.session.activity.wait_idle(60)
    kept.hear(0.0, 1500)
    events = kept.close()
    assert "playout" not in [event.get("stage") for event in events]


def test_what_is_only_worth_seeing_live_is_not_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept")
    kept.session.events.subscribe(live=(InputLevel, PartialTranscript))
    kept.hear(0.5, 1000)
    assert not {"InputLevel", "PartialTranscript"} & {event["event"] for event in kept.close()}


def test_sessions_that_have_ended_are_let_go(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for number in range(3):
        recorder = archive.keep(RecordingSink(lambda: 0.0), f"session {number}")
        session = build_pipeline(scripted_engines(), recorder)
        recorder.attach(session)
        session.close()
        session.join(60)
        recorder.join(60)
    archive.keep(RecordingSink(lambda: 0.0), "the last")
    assert len(archive._recorders) == 1
