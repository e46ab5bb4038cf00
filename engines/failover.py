"""Failover: several engines of a stage act as one; if one fails, the next takes over."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from engines.circuit_breaker import Attempt, CircuitBreaker
from pipeline.engine_info import RecognizerInfo, ResponderInfo, SynthesizerInfo
from pipeline.error_report import error_event
from pipeline.errors import EngineError
from pipeline.events import ErrorEvent
from pipeline.language import speaks
from pipeline.language_fallback import language_fallback
from pipeline.messages import Notice
from pipeline.shared_engine import Engine, SharedEngine
from pipeline.turn import CancelToken

logger = logging.getLogger(__name__)

_OF_THE_CALLER = ("unknown_voice",)
"""Codes of errors that are the caller's fault, not the engine's."""

E = TypeVar("E", bound=Engine)
T = TypeVar("T")
Work: TypeAlias = Callable[[E, CancelToken], Iterator[T]]
Fits: TypeAlias = Callable[[E], bool]


@dataclass(frozen=True, slots=True)
class _Leg(Generic[E]):
    """One of the engines, with slots and a queue of its own."""

    engine: E
    shared: SharedEngine[E]
    breaker: CircuitBreaker

    def begin(self) -> Attempt | None:
        """Begin a call. No probe while all slots are taken: the calls in them may hang."""
        return self.breaker.begin(may_probe=self.shared.idle_slots > 0)


class Failover(Generic[E]):
    """Engines in order of preference. If a call fails before its first output, or its first output takes
    longer than `first_output_s`, the next engine takes the call; after that an error is an error.

    A failover has as many slots as its first engine. So at that engine a call only ever waits behind a
    call that was given up and has not returned, which keeps a slot there, but none here. The last engine
    has no time limit, since no other comes after it.
    """

    verb = "works"
    """The verb of the stage, for notices."""
    check_sound = True
    """False: audio is not checked for sound. For tests whose engines speak constants."""

    def __init__(
        self,
        engines: Sequence[E],
        first_output_s: float,
        new_breaker: Callable[[], CircuitBreaker] = CircuitBreaker,
    ) -> None:
        self.engines = tuple(engines)
        self.first = engines[0]
        self._first_output_s = first_output_s
        self._legs = [_Leg(engine, SharedEngine(engine), new_breaker()) for engine in engines]

    def stream(
        self, work: Work[E, T | Notice], cancel: CancelToken, fits: Fits[E] = lambda engine: True
    ) -> Iterator[T | Notice]:
        """Yield the outputs of ``work(engine, cancel)``, with the engine that takes the call; engines
        that fit come before those that do not. A notice names the engine that took over, or that is
        back.

        Raises `EngineError` when all have failed, and what an engine raises after its first output.
        """
        reasons: dict[str, str] = {}
        """Failed engine ▶ its reason."""
        failed: list[ErrorEvent] = []
        for leg, attempt, limit_s in self._attempts(fits, reasons):
            name = leg.engine.info.name
            with closing(leg.shared.stream(work, cancel, limit_s)) as outputs, closing(attempt):
                try:
                    head = _to_first_output(outputs)
                except Exception as error:
                    if isinstance(error, EngineError) and error.code in _OF_THE_CALLER:
                        raise
                    failed.append(error_event(name, error, None))
                    reasons[name] = failed[-1].text
                    if attempt.failed(failed[-1].text):
                        logger.info("%s failed: %s", name, failed[-1].text)
                    continue
                if cancel.cancelled:
                    return
                if attempt.worked():
                    logger.info("%s %s again", name, self.verb)
                reasons.pop(name, None)
                yield from self._told(leg, reasons)
                yield from head
                yield from outputs
                return
        raise EngineError("; ".join(f"{event.stage}: {event.text}" for event in failed), failed[0].code)

    def _names(self) -> str:
        return ",".join(engine.info.name for engine in self.engines)

    def close(self) -> None:
        """Close all engines, except those with a call that does not return."""
        for leg in self._legs:
            leg.shared.close()

    def _attempts(
        self, fits: Fits[E], reasons: dict[str, str]
    ) -> Iterator[tuple[_Leg[E], Attempt, float | None]]:
        """The engines to try, in order, and the time to wait for each. First those that are thought to
        work, then all the others."""
        legs = sorted(self._legs, key=lambda leg: not fits(leg.engine))
        left_out = []
        for leg in legs:
            attempt = leg.begin()
            if attempt is None:
                left_out.append(leg)
                reasons[leg.engine.info.name] = leg.breaker.reason or ""
            else:
                yield leg, attempt, None if leg is legs[-1] else self._first_output_s
        for leg in left_out:
            limit_s = None if leg is left_out[-1] else self._first_output_s
            yield leg, leg.breaker.attempt_anyway(), limit_s

    def _told(self, leg: _Leg[E], reasons: Mapping[str, str]) -> Iterator[Notice]:
        if reasons:
            failed = ", ".join(f"{name} failed ({reason})" for name, reason in reasons.items())
            yield Notice("failover", f"{failed}; {leg.engine.info.name} {self.verb}")
        elif leg.breaker.ever_failed:
            yield Notice("failover", f"{leg.engine.info.name} {self.verb} again", over=True)


def _to_first_output(outputs: Iterator[T]) -> list[T]:
    """The first output, and the notices before it."""
    head: list[T] = []
    for output in outputs:
        head.append(output)
        if not isinstance(output, Notice):
            break
    return head


class _SpeaksLanguages(Engine, Protocol):
    @property
    def info(self) -> RecognizerInfo | SynthesizerInfo | ResponderInfo: ...


L = TypeVar("L", bound=_SpeaksLanguages)


class LanguageFailover(Failover[L]):
    """Engines that have languages: a call in a language goes to the first that has it."""

    can = "speak"
    """The verb for a language, for notices."""

    def stream_in(
        self, language: str | None, work: Callable[[L, str | None, CancelToken], Iterator[T | Notice]],
        cancel: CancelToken, fits: Fits[L] = lambda engine: True,
    ) -> Iterator[T | Notice]:  # fmt: skip
        """Like `stream`; ``work(engine, language, cancel)`` gets the language only if the engine has it,
        and a notice reports every other. An engine that does not fit comes after all that do."""

        def in_language(engine: L, cancel: CancelToken) -> Iterator[T | Notice]:
            has_it = self._has(engine, language)
            if language is not None and not (has_it and self._has(self.first, language)):
                lacking = self.first if has_it else engine
                instead = f"{engine.info.name} {self.verb}" + ("" if has_it else " as usual")
                yield language_fallback(lacking.info.name, self.can, language, instead)
            yield from work(engine, language if has_it else None, cancel)

        return self.stream(
            in_language, cancel, lambda engine: fits(engine) and self._has(engine, language)
        )

    def _all_languages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(code for engine in self.engines for code in engine.info.languages))

    @staticmethod
    def _has(engine: L, language: str | None) -> bool:
        return language is None or speaks(engine.info.languages, language)
