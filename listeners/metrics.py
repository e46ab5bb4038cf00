"""Metrics: what Prometheus is told of all sessions; figures, never words."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipeline.events import LIVE, AudioLost, ErrorEvent, Event, Interrupted, TurnDone
from pipeline.session import Session

PARTS = ("total", "silence", "stt", "llm", "tts", "rest")
BUCKETS_S = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Fine where people feel a difference: they leave 0.2 s between turns, and wonder after a second."""


class Metrics:
    """A box for the events of every session, which counts them where they happen: no thread for it."""

    unwanted: tuple[type, ...] = LIVE

    def __init__(self, sessions: Callable[[], float]) -> None:
        self._registry = registry = CollectorRegistry()
        living = Gauge("s2s_sessions", "Conversations there are", registry=registry)
        living.set_function(sessions)
        self._turns = Counter("s2s_turns", "Turns that ended, by how", ["state"], registry=registry)
        self._interruptions = Counter(
            "s2s_interruptions", "Answers that were stopped for good", registry=registry
        )
        self._errors = Counter("s2s_errors", "Errors, by stage", ["stage", "code"], registry=registry)
        self._lost = Counter(
            "s2s_lost_samples", "Audio of microphones that was not processed", registry=registry
        )
        self._latency = Histogram(
            "s2s_latency_seconds",
            "From the end of speech to the first audio, and its parts",
            ["part"],
            buckets=BUCKETS_S,
            registry=registry,
        )

    def watch(self, session: Session) -> None:
        """Count what happens in this session."""
        session.events.add(self)

    def page(self) -> bytes:
        """All figures, as Prometheus reads them."""
        return generate_latest(self._registry)

    def post(self, event: Event) -> None:
        """Count an event; from any thread."""
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
            case AudioLost(samples=samples):
                self._lost.inc(samples)

    def close(self) -> None:
        """A session has ended; the figures stay."""
