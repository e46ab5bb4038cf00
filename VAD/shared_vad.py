"""Ears: one thread that hears for all sessions."""

import threading
import time
from typing import Protocol

from pipeline.channel import END, Channel
from pipeline.messages import AudioBlock, ManualTurnSignal, Samples
from VAD.base import VoiceDetector, VoiceStream

TOGETHER_S = 0.004
"""Where several people talk a round begins so long after the last one, at the earliest: windows that
come in between are judged in one call, in which eight take half as long as one by one. What comes later
than that waits for nobody, nor does who is alone."""


class VADClient(Protocol):
    """Who hears in one session: its VAD stage."""

    queue_in: Channel[AudioBlock | ManualTurnSignal]
    stream: VoiceStream

    def to_judge(self, message: AudioBlock | ManualTurnSignal) -> Samples | None:
        """The window that is to be judged, if any; it follows on what the stream has heard."""
        ...

    def heard(self, message: AudioBlock | ManualTurnSignal, probability: float | None) -> None:
        """React to the next message; the probability of speech is there if it was to be judged."""
        ...

    def failed(self, message: AudioBlock | ManualTurnSignal, error: Exception) -> None:
        """It could not be judged."""
        ...


class _Waiting:
    """A hearer, and the message that it is to hear next."""

    def __init__(self, client: VADClient) -> None:
        self.client = client
        self.message: AudioBlock | ManualTurnSignal
        self.over = threading.Event()
        self.error: Exception | None = None

    def has_message(self) -> bool:
        """Whether there is one; if not, the channel tells when it is worth to look again."""
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
        if message is not None:
            self.message = message  # type: ignore[assignment]
        return message is not None

    def react(self, probability: float | None) -> None:
        try:
            self.client.heard(self.message, probability)
        except Exception as error:
            self.end(error)

    def miss(self, error: Exception) -> None:
        """The window could not be judged."""
        try:
            self.client.failed(self.message, error)
        except Exception as failure:
            self.end(failure)

    def end(self, error: Exception) -> None:
        """It cannot go on."""
        self.error = error
        self.over.set()


class SharedVAD:
    """Judges the windows of all sessions, those that wait in one call, and lets each session react.

    A thread for each would wake up for every window, and find nothing of the model in the cache. One is
    enough, since a reaction never waits for anybody. It lives as long as somebody attends.
    """

    def __init__(self, detector: VoiceDetector) -> None:
        self.detector = detector
        self._condition = threading.Condition(threading.Lock())
        self._woken: list[_Waiting] = []
        self._attending = 0
        self._running = False
        self._round_began = 0.0

    def attend(self, client: VADClient) -> None:
        """Hear for it until its channel ends; the caller waits. Raises what its reaction raises."""
        waiting = _Waiting(client)
        with self._condition:
            self._attending += 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="shared VAD", daemon=True).start()
        client.queue_in.on_wake = lambda: self._wake(waiting)
        self._wake(waiting)
        waiting.over.wait()
        with self._condition:
            self._attending -= 1
            self._condition.notify()
        if waiting.error is not None:
            raise waiting.error

    def _wake(self, waiting: _Waiting) -> None:
        with self._condition:
            self._woken.append(waiting)
            if len(self._woken) == 1:
                self._condition.notify()

    def _run(self) -> None:
        waiting: list[_Waiting] = []
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

    def _round(self, waiting: list[_Waiting]) -> list[_Waiting]:
        """Hear one message of each who has one; those who have more of them."""
        with self._condition:
            self._round_began = time.monotonic()
            woken, self._woken = self._woken, []
        waiting += [waiting for waiting in woken if waiting.has_message()]
        self._hear(waiting)
        return [waiting for waiting in waiting if waiting.has_message()]

    def _hear(self, visits: list[_Waiting]) -> None:
        judged: dict[_Waiting, Samples] = {}
        for waiting in visits:
            try:
                window = waiting.client.to_judge(waiting.message)
            except Exception as error:
                waiting.end(error)
                continue
            if window is None:
                waiting.react(None)
            else:
                judged[waiting] = window
        for waiting, probability in self._judge(judged):
            waiting.react(probability)

    def _judge(self, windows: dict[_Waiting, Samples]) -> list[tuple[_Waiting, float]]:
        """Together; where that fails one by one, so that one window costs nobody else theirs."""
        streams = [waiting.client.stream for waiting in windows]
        try:
            judged = self.detector.judge(streams, list(windows.values())) if windows else []
            return list(zip(windows, judged, strict=True))
        except Exception as error:
            if len(windows) == 1:
                next(iter(windows)).miss(error)
                return []
        alone = [self._judge({waiting: window}) for waiting, window in windows.items()]
        return [judgement for judgements in alone for judgement in judgements]
