"""Metrics: counters and latencies of all sessions for Prometheus; figures, never words."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipeline.events import LIVE, AudioLost, ErrorEvent, Event, FramesLate, Interrupted, TurnDone
from pipeline.session import Session

PARTS = ("total", "silence", "stt", "llm", "tts", "s2s", "rest")
BUCKETS_S = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Narrow where people notice a difference: turns are usually 0.2 s apart, and a second feels long."""


class Metrics:
    """A mailbox for the events of every session; counts them on the thread that emits them."""

    unwanted: tuple[type, ...] = LIVE

    def __init__(self, sessions: Callable[[], float], room: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        living = Gauge("s2s_sessions", "Conversations now open", registry=registry)
        living.set_function(sessions)
        more = Gauge("s2s_room", "Conversations for which there is room now", registry=registry)
        more.set_function(room)
        self._turns = Counter("s2s_turns", "Turns that ended, by state", ["state"], registry=registry)
        self._interruptions = Counter(
            "s2s_interruptions", "Answers stopped for good by an interruption", registry=registry
        )
        self._errors = Counter("s2s_errors", "Errors, by stage", ["stage", "code"], registry=registry)
        self._lost = Counter(
            "s2s_lost_samples", "Microphone samples lost before processing", registry=registry
        )
        self._late = Counter(
            "s2s_late_frames",
            "Frames of full-duplex replies left out because they were late",
            registry=registry,
        )
        self._latency = Histogram(
            "s2s_latency_seconds",
            "From the end of speech to the first audio, and its parts",
            ["part"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    def watch(self, session: Session) -> None:
        """Count the events of this session."""
        session.events.add(self)

    def page(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def post(self, event: Event) -> None:
        """Count an event; may be called from any thread."""
        match event:
            case TurnDone(state=state, latency=latency):
                self._turns.labels(state).inc()
                for part in PARTS:
                    ms = getattr(latency, f"{part}_ms")
                    if latency.total_ms is not None and ms is not None:
                        self._latency.labels(part).observe(ms / 1000)
            case Interrupted():
                self._interruptions.inc()
            case ErrorEvent(stage=stage, code=code):
                self._errors.labels(stage, code).inc()
            case FramesLate(frames=frames):
                self._late.inc(frames)
            case AudioLost(samples=samples):
                self._lost.inc(samples)

    def close(self) -> None:
        """Note that a session ended; its figures stay."""
