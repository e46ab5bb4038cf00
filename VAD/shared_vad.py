"""Ears: one thread that hears for all sessions."""

import threading
import time
from typing import Protocol

from pipeline.channel import END, Channel
from pipeline.messages import AudioBlock, Samples, TalkSignal
from VAD.base import VoiceDetector, VoiceStream

TOGETHER_S = 0.004
"""Where several people talk a round begins so long after the last one, at the earliest: windows that
come in between are judged in one call, in which eight take half as long as one by one. What comes later
than that waits for nobody, nor does who is alone."""


class Hearer(Protocol):
    """Who hears in one session: its VAD stage."""

    queue_in: Channel[AudioBlock | TalkSignal]
    stream: VoiceStream

    def to_judge(self, message: AudioBlock | TalkSignal) -> Samples | None:
        """The window that is to be judged, if any; it follows on what the stream has heard."""
        ...

    def heard(self, message: AudioBlock | TalkSignal, probability: float | None) -> None:
        """React to the next message; the probability of speech is there if it was to be judged."""
        ...

    def failed(self, message: AudioBlock | TalkSignal, error: Exception) -> None:
        """It could not be judged."""
        ...


class _Visit:
    """A hearer, and the message that it is to hear next."""

    def __init__(self, hearer: Hearer) -> None:
        self.hearer = hearer
        self.message: AudioBlock | TalkSignal
        self.over = threading.Event()
        self.error: Exception | None = None

    def has_message(self) -> bool:
        """Whether there is one; if not, the channel tells when it is worth to look again."""
        if self.over.is_set():
            return False
        try:
            message = self.hearer.queue_in.poll()
        except Exception as error:
            self.end(error)
            return False
        if message is END:
            self.over.set()
            return False
        if message is not None:
            self.message = message  # type: ignore[assignment]
        return message is not None

    def react(self, probability: float | None) -> None:
        try:
            self.hearer.heard(self.message, probability)
        except Exception as error:
            self.end(error)

    def miss(self, error: Exception) -> None:
        """The window could not be judged."""
        try:
            self.hearer.failed(self.message, error)
        except Exception as failure:
            self.end(failure)

    def end(self, error: Exception) -> None:
        """It cannot go on."""
        self.error = error
        self.over.set()


class Ears:
    """Judges the windows of all sessions, those that wait in one call, and lets each session react.

    A thread for each would wake up for every window, and find nothing of the model in the cache. One is
    enough, since a reaction never waits for anybody. It lives as long as somebody attends.
    """

    def __init__(self, detector: VoiceDetector) -> None:
        self.detector = detector
        self._condition = threading.Condition(threading.Lock())
        self._woken: list[_Visit] = []
        self._attending = 0
        self._running = False
        self._round_began = 0.0

    def attend(self, hearer: Hearer) -> None:
        """Hear for it until its channel ends; the caller waits. Raises what its reaction raises."""
        visit = _Visit(hearer)
        with self._condition:
            self._attending += 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="ears", daemon=True).start()
        hearer.queue_in.on_wake = lambda: self._wake(visit)
        self._wake(visit)
        visit.over.wait()
        with self._condition:
            self._attending -= 1
            self._condition.notify()
        if visit.error is not None:
            raise visit.error

    def _wake(self, visit: _Visit) -> None:
        with self._condition:
            self._woken.append(visit)
            if len(self._woken) == 1:
                self._condition.notify()

    def _run(self) -> None:
        waiting: list[_Visit] = []
        while self._is_time(at_once=bool(waiting)):
            waiting = self._round(waiting)

    def _is_time(self, *, at_once: bool) -> bool:
        """Wait for the next round. False: nobody attends any more."""
        with self._condition:
            if not at_once:
                self._condition.wait_for(lambda: bool(self._woken) or not self._attending)
                rest_s = self._round_began + TOGETHER_S - time.monotonic()
                if rest_s > 0 and self._attending > 1:
                    self._condition.wait(rest_s)
            if not self._attending:
                self._woken.clear()
                self._running = False
            return self._running

    def _round(self, waiting: list[_Visit]) -> list[_Visit]:
        """Hear one message of each who has one; those who have more of them."""
        with self._condition:
            self._round_began = time.monotonic()
            woken, self._woken = self._woken, []
        waiting += [visit for visit in woken if visit.has_message()]
        self._hear(waiting)
        return [visit for visit in waiting if visit.has_message()]

    def _hear(self, visits: list[_Visit]) -> None:
        judged: dict[_Visit, Samples] = {}
        for visit in visits:
            try:
                window = visit.hearer.to_judge(visit.message)
            except Exception as error:
                visit.end(error)
                continue
            if window is None:
                visit.react(None)
            else:
                judged[visit] = window
        for visit, probability in self._judge(judged):
            visit.react(probability)

    def _judge(self, windows: dict[_Visit, Samples]) -> list[tuple[_Visit, float]]:
        """Together; where that fails one by one, so that one window costs nobody else theirs."""
        streams = [visit.hearer.stream for visit in windows]
        try:
            judged = self.detector.judge(streams, list(windows.values())) if windows else []
            return list(zip(windows, judged, strict=True))
        except Exception as error:
            if len(windows) == 1:
                next(iter(windows)).miss(error)
                return []
        alone = [self._judge({visit: window}) for visit, window in windows.items()]
        return [judgement for judgements in alone for judgement in judgements]
