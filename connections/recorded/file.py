"""FileConnection: reads a recording and writes the reply, as fast as the engines allow or in real
time."""

import io
import json
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from arguments_classes.file_arguments import FileArguments
from connections.base import CLOSE_S, OpenSession
from connections.recorded.recording import Recording
from connections.recorded.session_folder import SessionFolder
from connections.recorded.sound_writer import SoundWriter
from connections.sound_reader import SoundReader
from engines.upgrades import Upgrades
from listeners.listener import Listener
from pipeline.audio import NOT_READABLE, READABLE, clean, to_mono
from pipeline.capabilities import Capabilities
from pipeline.clock import Clock, MonotonicClock, SampleClock
from pipeline.errors import UserError
from pipeline.events import ErrorEvent, Event, ReplyStarted, TurnDone, as_json
from pipeline.messages import ManualTurn, Samples
from pipeline.session import Session, SessionState
from pipeline.sink import ClockPace, Frame
from utils.shutdown import StopRequest

REPLY_RATE_HZ = 24000
"""The sample rate of the written files; most synthesizers have this rate or a lower one."""

BLOCK_MS = 32
"""Audio fed at a time: one window of the VAD, so that a decision falls on its own window."""

LEAD_MS = 60
"""More than a block and a frame, or else the reply would have gaps: time advances by blocks."""

MAX_REST_S = 600.0
"""A reply that lasts longer than this after the recording would never end, and fill the disk."""

FRAME_SAMPLES = 480
"""A frame of the reply: 20 ms."""


class FileSink:
    """Writes the reply as it is released, paced by the clock of the input."""

    def __init__(self, path: Path, recording: Recording, clock: Clock, full_duplex: bool) -> None:
        self.rate_hz = REPLY_RATE_HZ
        self.frame_samples = FRAME_SAMPLES
        self.full_duplex = full_duplex
        self._file = SoundWriter(path, REPLY_RATE_HZ, channels=1)
        self._recording = recording
        self._clock = clock
        self._began = clock.now()
        self._heard_until = 0
        self._pace = ClockPace(REPLY_RATE_HZ, FRAME_SAMPLES, LEAD_MS)
        self.room_at = self._pace.room_at
        self.heard_all_at = self._pace.heard_all_at
        self.unheard = self._pace.unheard

    def play(self, frame: Frame) -> None:
        """Write a frame to the reply, and to the recording at the moment at which it is heard."""
        samples, now = clean(frame.samples), self._clock.now()
        if self._pace.heard_all_at(now) <= now:  # nothing is playing: this frame is heard at once
            self._heard_until = round((now - self._began) * REPLY_RATE_HZ)
        self._pace.sent(len(samples), now)
        self._recording.add_reply(samples, self._heard_until)
        self._heard_until += len(samples)
        self._file.write(samples)

    def flush(self, turn: int, sample: int) -> bool:
        """Not possible: written audio stays written."""
        return False

    def duck(self, turn: int, gain: float) -> bool:
        """Not possible: playout lowers the frames that follow."""
        return False

    def close(self) -> None:
        """Close the file: the reply is complete."""
        self._file.close()


class Results(Listener):
    """Collects the outcome of each turn."""

    def __init__(self, session: Session) -> None:
        self.turns: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.has_reply = False
        super().__init__(session)

    def on_event(self, event: Event) -> None:
        """Keep ends of turns, and errors; note whether there was a reply."""
        if isinstance(event, ReplyStarted):
            self.has_reply = True
        elif isinstance(event, TurnDone):
            self.turns.append(as_json(event))
        elif isinstance(event, ErrorEvent):
            self.errors.append(as_json(event))


class FileConnection:
    """Feeds a recording to one session, and writes three files: the reply, a stereo recording of both
    sides on one time line, and a transcript as JSON.

    In half duplex the recording pauses while the program speaks and does not listen, so that none of it
    is lost. With headphones it runs on.
    """

    def __init__(self, arguments: FileArguments, shutdown: StopRequest) -> None:
        self._arguments = arguments
        self._shutdown = shutdown
        self._replayed = _folder(arguments.input)
        self._input = _open_input(arguments.input, self._replayed)
        self._rate_hz: int = self._input.samplerate
        self._block = max(1, round(self._rate_hz * BLOCK_MS / 1000))
        self._sample_clock: SampleClock | None = None
        self._clock: Clock = MonotonicClock()
        self._reply_path = Path(arguments.output)
        self._recording_path = self._reply_path.with_suffix(".conversation.wav")
        self._transcript_path = self._reply_path.with_suffix(".transcript.json")
        self._refuse_to_overwrite_the_input()
        for path in (self._reply_path, self._recording_path, self._transcript_path):
            _expect_writable(path)

    def run(
        self,
        open_session: OpenSession,
        capabilities: Capabilities = Capabilities(),
        upgrades: Upgrades | None = None,
    ) -> int:
        """Feed the recording, and wait for the end of the last reply. Returns 0, or 1 if there was no
        reply or an error."""
        if not (self._arguments.realtime or capabilities.live):
            self._clock = self._sample_clock = SampleClock(self._rate_hz)
        self._recording = Recording(self._recording_path, REPLY_RATE_HZ, self._rate_hz)
        replayed = self._replayed
        # the warning about echo does not apply to a recording
        full_duplex = self._arguments.headphones or capabilities.duplex
        full_duplex = full_duplex if replayed is None else replayed.full_duplex
        self._sink = FileSink(self._reply_path, self._recording, self._clock, full_duplex)
        self._session = open_session(self._sink, "file", self._clock)
        if replayed is not None:
            replayed.prepare(self._session, self._rate_hz)
        if self._sample_clock is not None:
            self._session.reports.in_real_time = False
            self._sample_clock.on_advance(self._session.playout.wake)
        self._results = Results(self._session)
        self._shutdown.on_stop(self._stop)
        try:
            self._feed_all()
        except UserError:
            self._session.close("a file cannot be read or written")
            self._session.join(CLOSE_S)
            raise
        self._results.join()
        self._sink.close()
        self._recording.close()
        code = self._report()
        return 130 if self._shutdown.requested.is_set() else code

    def _feed_all(self) -> None:
        """Feed the recording, then silence until the session has ended."""
        self._due = time.monotonic()
        silence = np.zeros(self._block, np.float32)
        with self._input:
            for block in self._blocks():
                while self._waits_for_the_reply():
                    self._step(silence)
                if not self._is_open():
                    break
                self._step(block)
        self._session.finish()
        rest_s = 0.0
        while self._session.state is not SessionState.CLOSED:
            self._step(silence)
            rest_s += BLOCK_MS / 1000
            if rest_s > MAX_REST_S:
                self._session.close(f"the answer did not end within {MAX_REST_S:.0f} s")

    def _stop(self) -> None:
        self._session.close("stopped")
        self._session.activity.give_up()

    def _refuse_to_overwrite_the_input(self) -> None:
        replayed = self._replayed
        source = (Path(self._arguments.input or "") if replayed is None else replayed.audio).resolve()
        for path in (self._reply_path, self._recording_path, self._transcript_path):
            if path.resolve() == source:
                raise UserError(
                    f"--output {self._reply_path}: {path} would overwrite the input; choose another name"
                )

    def _blocks(self) -> Iterator[Samples]:
        """The user's audio. A replay repeats their manual turns too, each just before its sample."""
        signals = deque(self._replayed.signals if self._replayed is not None else [])
        end = None if self._replayed is None else self._replayed.end
        position = 0
        try:
            for block in self._input.in_blocks(self._block, end):
                samples = to_mono(block) if self._replayed is None else block[:, 0]
                while signals and signals[0][0] < position + len(samples):
                    at_sample, signal = signals.popleft()
                    before, samples = np.split(samples, [at_sample - position])
                    if len(before):
                        yield before
                    position = at_sample
                    self._repeat(signal)
                yield samples
                position += len(samples)
            for _, signal in signals:
                self._repeat(signal)
        except soundfile.SoundFileError as error:
            raise UserError(
                f"--input {self._arguments.input}: expected sound as {READABLE}, got {NOT_READABLE}"
            ) from error
        if self._input.damage:
            print(f"{self._arguments.input}: {self._input.damage}", file=sys.stderr)

    def _repeat(self, signal: ManualTurn) -> None:
        session = self._session
        match signal:
            case ManualTurn.START:
                session.start_speech()
            case ManualTurn.COMMIT:
                session.commit_speech()
            case ManualTurn.CANCEL:
                session.cancel_speech()
        if self._sample_clock is not None:
            session.activity.wait_idle()

    def _waits_for_the_reply(self) -> bool:
        """True while the recording waits; a replay never does, as its user spoke at these moments."""
        listening = self._replayed is not None or self._session.should_listen.is_set()
        return self._is_open() and not listening

    def _is_open(self) -> bool:
        return self._session.state is SessionState.OPEN

    def _step(self, block: Samples) -> None:
        """Feed a block, and let its time pass."""
        if self._sample_clock is not None:
            captured_at = self._sample_clock.now()
            self._sample_clock.advance(len(block))
            self._session.activity.wait_idle()
            self._session.feed(block, self._rate_hz, captured_at)
            self._session.activity.wait_idle()
        else:
            self._due += len(block) / self._rate_hz
            self._shutdown.requested.wait(max(0.0, self._due - time.monotonic()))
            self._session.feed(block, self._rate_hz)
        self._recording.add_user(block)

    def _report(self) -> int:
        turns, errors = self._results.turns, self._results.errors
        has_reply = self._results.has_reply
        files = [self._reply_path, self._recording_path, self._transcript_path]
        if not has_reply:
            self._reply_path.unlink()
            del files[0]
        transcript = {
            "input": self._arguments.input,
            "reply": str(self._reply_path) if has_reply else None,
            "recording": str(self._recording_path),
            "turns": turns,
            "errors": errors,
        }
        self._transcript_path.write_text(json.dumps(transcript, indent=2, ensure_ascii=False), "utf-8")
        print("written:", ", ".join(map(str, files)), file=sys.stderr)
        if has_reply and not errors:
            return 0
        if not errors and not self._shutdown.requested.is_set():
            found = "speech was found, but not answered" if turns else "no speech was found"
            print(f"{self._arguments.input}: {found}", file=sys.stderr)
        return 1


def _folder(name: str | None) -> SessionFolder | None:
    path = Path(name or "-")
    return SessionFolder(path) if name and path.is_dir() else None


def _open_input(name: str | None, folder: SessionFolder | None) -> SoundReader:
    if name is None:
        raise UserError("--mode file needs a recording: --input question.wav (-: standard input)")
    source: Any = io.BytesIO(sys.stdin.buffer.read()) if name == "-" else Path(name)
    source = source if folder is None else folder.audio
    if isinstance(source, Path) and not source.is_file():
        problem = "that is not a file" if source.exists() else "there is no such file"
        raise UserError(f"--input {name}: {problem}")
    try:
        recording = SoundReader(source)
    except (soundfile.LibsndfileError, TypeError, UnicodeError) as error:
        raise UserError(f"--input {name}: expected sound as {READABLE}, got {NOT_READABLE}") from error
    if recording.frames == 0:
        raise UserError(f"--input {name}: expected a recording, got one without any audio")
    return recording


def _expect_writable(path: Path) -> None:
    """Raise `UserError` if the file cannot be written. An earlier reply stays until there is a new
    one."""
    try:
        existed = path.exists()
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise UserError(f"--output: {path} cannot be written: {error.strerror}") from error
