"""SharedVAD: one thread that judges the windows of all sessions."""

import threading
import time
from typing import Any, Protocol

from pipeline.channel import END, Channel
from pipeline.messages import AudioBlock, JudgedWindow
from VAD.base import VoiceDetector, VoiceStream
from VAD.listener import Listener

TOGETHER_S = 0.004
"""Shortest time between two rounds if there are several sessions: the windows that arrive in between are
judged in one call, which takes half as long for eight windows as eight calls. A window that arrives
after that time is judged at once, and so is every window of a session that is alone."""


class VADClient(Protocol):
    """The VAD stage of one session."""

    queue_in: Channel[Any]
    stream: VoiceStream
    listener: Listener

    def serve(self, message: Any) -> None:
        """React to a `JudgedWindow`, a `ManualTurnSignal`, or a message for a later stage."""
        ...

    def failed(self, message: Any, error: Exception) -> None:
        """Leave a window out that could not be judged."""
        ...


class _Attendance:
    """A client that attends, and its next message."""

    def __init__(self, client: VADClient) -> None:
        self.client = client
        self.message: Any = None
        self.over = threading.Event()
        self.error: Exception | None = None
        self._next_sample = 0

    def has_message(self) -> bool:
        """Fetch the next message. If there is none, the channel tells when to look again."""
        if self.over.is_set():
            return False
        try:
            message = self.client.queue_in.poll()
        except Exception as error:
            self.end(error)
            return False
        if message is END:
            self.over.set()
            return False
        self.message = message
        return message is not None

    def wants_judgement(self) -> bool:
        """True if the message is a window to judge. Starts the stream anew after a gap."""
        block = self.message
        if not (isinstance(block, AudioBlock) and self.client.listener.listens):
            return False
        if block.start_sample != self._next_sample:
            self.client.stream.reset()
        self._next_sample = block.start_sample + len(block.samples)
        return True

    def serve(self, probability: float | None) -> None:
        """Hand the message to the client; a window with its probability of speech, if judged."""
        message = self.message
        if isinstance(message, AudioBlock):
            message = JudgedWindow(message, probability)
        try:
            self.client.serve(message)
        except Exception as error:
            self.end(error)

    def miss(self, error: Exception) -> None:
        """Tell the client that its window could not be judged."""
        try:
            self.client.failed(self.message, error)
        except Exception as failure:
            self.end(failure)

    def end(self, error: Exception) -> None:
        """Stop serving the client, since it failed."""
        self.error = error
        self.over.set()


class SharedVAD:
    """Judges the windows of all sessions, those that are waiting in one call, and serves every session.

    A thread for each session would wake up for every window and find the model gone from the processor's
    cache: with 20 sessions that took twice the processor time. One thread is enough, since no reaction
    to a window ever waits. The thread lives as long as a session attends.
    """

    def __init__(self, detector: VoiceDetector) -> None:
        self.detector = detector
        self._condition = threading.Condition(threading.Lock())
        self._woken: list[_Attendance] = []
        self._attending = 0
        self._running = False
        self._round_began = 0.0

    def attend(self, client: VADClient) -> None:
        """Serve `client` until its channel ends; the caller waits. Raises the client's error."""
        attendance = _Attendance(client)
        with self._condition:
            self._attending += 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="shared VAD", daemon=True).start()
        client.queue_in.on_wake = lambda: self._wake(attendance)
        self._wake(attendance)
        attendance.over.wait()
        with self._condition:
            self._attending -= 1
            self._condition.notify()
        if attendance.error is not None:
            raise attendance.error

    def _wake(self, attendance: _Attendance) -> None:
        with self._condition:
            self._woken.append(attendance)
            if len(self._woken) == 1:
                self._condition.notify()

    def _run(self) -> None:
        busy: list[_Attendance] = []
        while self._is_time(at_once=bool(busy)):
            busy = self._round(busy)

    def _is_time(self, *, at_once: bool) -> bool:
        """Wait for the next round. False: no session attends anymore."""
        with self._condition:
            if not at_once:
                while not self._woken and self._attending:
                    self._condition.wait()
                rest_s = self._round_began + TOGETHER_S - time.monotonic()
                if rest_s > 0 and self._attending > 1:
                    self._condition.wait(rest_s)
            if not self._attending:
                self._woken.clear()
                self._running = False
            return self._running

    def _round(self, busy: list[_Attendance]) -> list[_Attendance]:
        """Serve one message of each of these sessions. Returns the sessions that have more."""
        with self._condition:
            self._round_began = time.monotonic()
            woken, self._woken = self._woken, []
        busy += filter(_Attendance.has_message, woken)
        judged: list[_Attendance] = []
        for attendance in busy:
            try:
                wanted = attendance.wants_judgement()
            except Exception as error:
                attendance.end(error)
                continue
            if wanted:
                judged.append(attendance)
            else:
                attendance.serve(None)
        if judged:
            self._judge(judged)
        return list(filter(_Attendance.has_message, busy))

    def _judge(self, attendances: list[_Attendance]) -> None:
        """Judge these windows together; if that fails, one by one, so that no session loses its own to
        another's."""
        streams, windows = [], []
        for attendance in attendances:
            streams.append(attendance.client.stream)
            windows.append(attendance.message.samples)
        try:
            judged = list(zip(attendances, self.detector.judge(streams, windows), strict=True))
        except Exception as error:
            if len(attendances) == 1:
                attendances[0].miss(error)
                return
            for attendance in attendances:
                self._judge([attendance])
            return
        for attendance, probability in judged:
            attendance.serve(probability)
