"""Playout: the last stage of every session, which gates, paces, ducks, pauses and flushes the reply."""

import math
import threading
from collections import deque
from collections.abc import Iterable
from typing import ClassVar, Protocol

from pipeline.audio import Gain, rms
from pipeline.channel import END
from pipeline.clock import Clock
from pipeline.errors import BadAudio, NothingHeard
from pipeline.events import (
    Ducked,
    FramesLate,
    ListeningChanged,
    OutputLevel,
    Paused,
    ReplyStarted,
    ReplyText,
)
from pipeline.gate import Gate
from pipeline.handler import BaseHandler
from pipeline.kept_ledgers import KeptLedgers
from pipeline.mailbox import Mailboxes
from pipeline.messages import EndOfTurn, Speech
from pipeline.reply import Reply
from pipeline.sink import Frame, Sink
from pipeline.sound_check import SoundSource
from pipeline.turn import Origin, Turn, TurnState

ECHO_TAIL_S = 0.25
"""Echo of the room after the last sample: in a living room it takes 0.3 to 0.5 s to fall by 60 dB, and
after about half of that the VAD no longer takes it for speech."""

DUCK_GAIN = 0.25
"""Minus 12 dB: clearly quieter, but still intelligible."""

FLOOR_S = 1.0
"""Time for which the user keeps the floor after the last sign of speech: longer than a hiccup of the
network, but a short wait for the answer if the microphone was switched off."""

NO_AUDIO = "expected audio of the answer, got none from the voice; choose another voice or language"


class PlayoutObserver(Protocol):
    """The object that is told how a turn ended: `Reports`. Called under the playout's lock; must not
    wait."""

    def turn_settled(self, turn: Turn, heard: str, started: bool) -> None: ...

    def heard_corrected(self, turn: int, heard: str) -> None: ...


class Playout(BaseHandler[Speech | EndOfTurn]):
    """Releases the replies, one turn after another, at the pace of the connection.

    A monitor: one lock, public methods for any thread. Its own thread waits for a message, a wake-up,
    or the moment at which the sink has room. See the table in docs/architecture.md.
    """

    name: ClassVar[str] = "playout"
    takes = (Speech, EndOfTurn)

    def setup(
        self,
        sink: Sink,
        clock: Clock,
        gate: Gate,
        events: Mailboxes,
        observer: PlayoutObserver,
        source: SoundSource,
    ) -> None:
        self._sink = sink
        self._clock = clock
        self._gate = gate
        self._events = events
        self._observer = observer
        self._source = source
        self._lock = threading.Lock()
        self._reply: Reply | None = None
        self._said = ""
        self._floor_until = -math.inf
        self._begin_at: deque[float] = deque()
        self._paused_by: dict[str, float] = {}
        self._ducked = False
        self._ducked_until = -math.inf
        self._gain = Gain()
        self._ledgers = KeptLedgers()

    @property
    def full_duplex(self) -> bool:
        """True if the session listens to the user during a reply."""
        return self._sink.full_duplex

    @property
    def rate_hz(self) -> int:
        """Sample rate of the connection."""
        return self._sink.rate_hz

    @property
    def sounding(self) -> bool:
        """True if a spoken reply has started and is not over yet."""
        reply = self._reply
        return reply is not None and reply.started and reply.turn.settings.spoken

    @property
    def saying(self) -> str:
        """The piece of text that is being heard; in silence, the last one that was."""
        reply = self._reply
        return self._said if reply is None else reply.latest_text

    # -- control, from any thread ------------------------------------------------------------------

    def floor_until(self, moment: float) -> None:
        """Give the user the floor: no reply *begins* before `moment` on the clock.

        The floor is renewed with every window of speech, since a microphone may fail in mid-word.
        """
        with self._lock:
            sooner = moment < self._floor_until
            self._floor_until = moment
            held_back = self._reply is not None and not self._reply.started
        if sooner and held_back:
            self.wake()

    def begin_replies_at(self, moments: Iterable[float]) -> None:
        """For a replay: begin each reply no earlier than in the recording, in order, even if the engines
        take less time now."""
        with self._lock:
            self._begin_at.extend(moments)

    def committed(self, turn: Turn) -> None:
        """Release the held reply of `turn`, whose commit has been reported."""
        with self._lock:
            held = self._reply is not None and self._reply.turn is turn
        if held:
            self.wake()

    def duck(self, until: float = math.inf) -> None:
        """Make the reply quieter until the time `until` on the clock; a later call replaces that time. A
        time in the past ends the ducking."""
        with self._lock:
            self._ducked_until = until
            ducked = until > self._clock.now()
            if self._reply is not None and self._reply.started and ducked != self._ducked:
                self._change_loudness(self._reply.turn, ducked)
        self.wake()

    def pause(self, by: str, until: float = math.inf) -> None:
        """Hold the reply at the sample last heard, until `by` resumes it or the clock reaches `until`.

        A later call with the same `by` replaces that time. Nothing is cancelled.
        """
        with self._lock:
            already = bool(self._paused_by)
            self._paused_by[by] = until
            reply = self._reply
            if reply is None or not reply.started or already:
                return
            heard = self._heard_samples(reply)
            if self._sink.flush(reply.turn.number, heard) and not reply.is_live:
                reply.reel.rewind(heard)
            self._events.emit(Paused(reply.turn.number, True))

    def resume(self, by: str) -> None:
        """Resume the reply, from the sample last heard if the client could flush its buffer."""
        with self._lock:
            if by not in self._paused_by:
                return
            self._paused_by[by] = -math.inf
            self._end_pauses(-math.inf)
        self.wake()

    def go_back(self, turn: int, sample: int) -> None:
        """Repeat what was sent after `sample` of `turn`: it did not arrive."""
        with self._lock:
            reply = self._reply
            if reply is None or reply.is_live or reply.turn.number < turn:
                return
            heard = sample if reply.turn.number == turn else 0
            if heard < reply.reel.position and self._sink.flush(reply.turn.number, heard):
                reply.reel.rewind(heard)
        self.wake()

    def settle(self, turn: Turn) -> None:
        """Silence `turn`, which was interrupted or dropped, and freeze its ledger."""
        with self._lock:
            self._settle(turn)
        self.wake()

    def played(self, turn: int, sample: int) -> bool:
        """Correct the words heard: the client reports that it has played `turn` up to `sample`.

        Returns False if the report is too late, or the turn is not over.
        """
        with self._lock:
            heard = self._ledgers.heard(turn, sample)
            if heard is not None:
                self._observer.heard_corrected(turn, heard)
            return heard is not None

    def wake(self) -> None:
        """Make the stage look again. A sink calls this when it has room or everything was heard."""
        self.queue_in.wake()

    # -- the stage ---------------------------------------------------------------------------------

    def run(self) -> None:
        """Play replies until `END`; the reply that is being heard is played to its end."""
        while not self.stop_event.is_set():
            with self._lock:
                wake_at, over = self._advance(self._clock.now())
                hungry = self._reply is None or self._reply.wants_audio(self._sink.frame_samples)
            if over is not None:
                self._finish(over)
                continue
            message = self.queue_in.get(self._clock.timeout_until(wake_at), taking=hungry)
            if message is END:
                break
            if message is not None:
                self._take(message)  # type: ignore[arg-type]
        self.cleanup()

    def _take(self, message: Speech | EndOfTurn) -> None:
        turn = message.turn
        reply = self._reply
        if reply is not None and reply.turn is not turn:
            self._finish(reply)  # its `EndOfTurn` never came
            reply = None
        if reply is None:
            reply = Reply(turn, self._sink.rate_hz, self._source)
        try:
            reply.judge(message)
        except BadAudio as fault:
            message = self._refuse(reply, message, fault)
        if isinstance(message, Speech):
            reply.add(message, self._clock.now())
        else:
            reply.end(message.reason)
        with self._lock:
            if not turn.settled:
                self._reply = reply

    def _refuse(self, reply: Reply, message: Speech | EndOfTurn, fault: BadAudio) -> Speech | EndOfTurn:
        """Report an answer whose audio is bad; returns the replacement for this message."""
        turn = reply.turn
        if turn.alive and not (turn.failed and self._source.is_duplex):
            turn.fail(self._source.stage, fault)
        with self._lock:
            instead = reply.refuse(message, fault)
        if isinstance(instead, EndOfTurn):
            self.queue_in.refuse(turn)
        return instead

    def _finish(self, reply: Reply) -> None:
        """Finish the turn, outside the lock, since ending a turn runs callbacks of the engines.

        An answer whose words had no audio has failed. It is still remembered: its text was shown.
        """
        unheard = reply.is_unheard
        if reply.turn.finish(reply.end_reason or "no end of the turn came", unheard=unheard):
            if unheard and not reply.turn.failed:
                reply.turn.fail(self.name, NothingHeard(NO_AUDIO))
            self.settle(reply.turn)

    def _advance(self, now: float) -> tuple[float, Reply | None]:
        """Do what is due. Returns the time of the next call (infinity: when woken), and the reply if it
        is over."""
        if now >= self._gate.due_at:
            self._gate.open()
            self._events.emit(ListeningChanged(True))
        if self._reply is not None and not self._reply.turn.alive:
            self._settle(self._reply.turn)
        self._end_pauses(now)
        reply = self._reply
        if reply is None:
            return self._gate.due_at, None
        if self._ducked and now >= self._ducked_until:
            self._change_loudness(reply.turn, ducked=False)
        wake_at = self._release(reply, now)
        over = reply if reply.all_sent and wake_at <= now else None
        loud_at = self._ducked_until if self._ducked else math.inf
        return min(wake_at, loud_at, self._gate.due_at), over

    def _release(self, reply: Reply, now: float) -> float:
        sink = self._sink
        reply.forget(self._heard_samples(reply))
        reply.waiting.leave_out_late(now, counted=not self._paused_by)
        self._report_late(reply, reply.waiting.report(now))
        if self._paused_by:
            return max(self._paused_by.values())
        if not reply.turn.announced:
            return math.inf  # until `committed`: the user's words are reported before the answer's
        while True:
            silent = not reply.started or sink.heard_all_at(now) <= now
            if not silent or reply.waiting.next_due <= now:
                reply.refill(now, sink.frame_samples, silent=silent)
            has_text = reply.has_text
            if not (has_text or reply.has_frame(sink.frame_samples)):
                break
            if not reply.started and now < self._earliest_start():
                return self._earliest_start()
            room_at = now if has_text else sink.room_at(now)
            if room_at > now:
                return room_at
            if not reply.started and not self._start(reply, now):
                return now
            if not has_text:
                position, samples = reply.next_frame(sink.frame_samples)
                sink.play(Frame(reply.turn.number, position, self._gain.apply(samples)))
                if self._events.wanted(OutputLevel):
                    self._events.emit(OutputLevel(rms(samples)))
            for text in reply.texts_begun():
                self._events.emit(ReplyText(reply.turn.number, text))
        if not reply.all_sent:
            return reply.waiting.next_due
        return sink.heard_all_at(now) if reply.started else now

    def _report_late(self, reply: Reply, late: tuple[int, float] | None) -> None:
        if late is not None:
            frames, worst_s = late
            self._events.emit(FramesLate(reply.turn.number, frames, round(1000 * worst_s, 1)))

    def _deafens(self, turn: Turn) -> bool:
        """True if the microphone is ignored during the reply of this turn. A full-duplex model always
        listens."""
        live = turn.origin is Origin.DUPLEX
        return not (self._sink.full_duplex or live) and turn.settings.spoken

    def _earliest_start(self) -> float:
        return max(self._floor_until, self._begin_at[0]) if self._begin_at else self._floor_until

    def _end_pauses(self, now: float) -> None:
        over = [by for by, until in self._paused_by.items() if until <= now]
        for by in over:
            del self._paused_by[by]
        if over and not self._paused_by and self._reply is not None and self._reply.started:
            self._events.emit(Paused(self._reply.turn.number, False))

    def _start(self, reply: Reply, now: float) -> bool:
        turn = reply.turn
        if not turn.speak():
            return False
        reply.started = True
        if self._begin_at:
            self._begin_at.popleft()
        turn.mark("first_audio")
        if self._ducked:
            self._set_gain(turn, ducked=False)
        self._gain = Gain()
        if self._deafens(turn):
            self._gate.shut(now)
            self._events.emit(ListeningChanged(False))
        self._events.emit(ReplyStarted(turn.number))
        return True

    def _settle(self, turn: Turn) -> None:
        if turn.settled:
            return
        turn.settled = True
        reply = self._reply
        if reply is None or reply.turn is not turn:
            self._observer.turn_settled(turn, "", False)
            return
        self._reply = None
        self._report_late(reply, reply.waiting.report(self._clock.now(), over=True))
        self._paused_by.clear()
        heard = self._heard_samples(reply)
        turn.heard_ms = 1000 * heard / self._sink.rate_hz
        silent_at = self._clock.now()
        if reply.started:
            self._said = reply.latest_text
            cut_short = turn.state in (TurnState.INTERRUPTED, TurnState.DROPPED)
            if not (cut_short and self._sink.flush(turn.number, heard)):
                silent_at = max(silent_at, self._sink.heard_all_at(silent_at))
            if self._deafens(turn):
                self._gate.open_at(silent_at + ECHO_TAIL_S)
            self._ledgers.keep(turn.number, reply.ledger, reply.reel.position)
            turn.mark("heard_to")
        self._observer.turn_settled(turn, reply.ledger.heard(heard), reply.started)

    def _heard_samples(self, reply: Reply) -> int:
        if not reply.started:
            return 0
        return max(0, reply.reel.position - self._sink.unheard(self._clock.now()))

    def _change_loudness(self, turn: Turn, ducked: bool) -> None:
        self._set_gain(turn, ducked)
        self._events.emit(Ducked(turn.number, ducked))

    def _set_gain(self, turn: Turn, ducked: bool) -> None:
        """Tell the client to duck its buffer; if it cannot, make the following frames quieter."""
        self._ducked = ducked
        gain = DUCK_GAIN if ducked else 1.0
        if not self._sink.duck(turn.number, gain):
            self._gain.target = gain
