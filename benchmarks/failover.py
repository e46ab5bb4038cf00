"""Cost of failover: with a healthy engine in front of another, and when taking over from a dead one."""

import time
from collections.abc import Iterator, Sequence

from benchmarks.figures import median, percentile, table
from engines.failover_synthesizer import FailoverSynthesizer
from pipeline.errors import EngineError
from pipeline.messages import AudioChunk
from pipeline.shared_engine import SharedEngine
from pipeline.turn import CancelToken
from testing.fakes import ScriptedSynthesizer
from TTS.base import Synthesizer
from TTS.espeak import EspeakSynthesizer

CALLS = 2000
REAL_CALLS = 300
TEXT = "One sentence."


class DeadSynthesizer(ScriptedSynthesizer):
    """Fails at once."""

    def synthesize(
        self, text: str, voice: str | None, language: str | None, cancel: CancelToken
    ) -> Iterator[AudioChunk]:
        raise EngineError("dead")


def first_output_ms(engines: Sequence[Synthesizer], calls: int) -> list[list[float]]:
    """Measure the time to first audio for each engine and call; engines take turns, so that other load
    on the machine affects all of them."""
    shared = [SharedEngine(engine) for engine in engines]
    times: list[list[float]] = [[] for _ in engines]
    for _ in range(calls):
        for each, kept in zip(shared, times, strict=True):
            asked_at = time.perf_counter()
            results = each.stream(lambda e, c: e.synthesize(TEXT, None, None, c), CancelToken())
            next(result for result in results if isinstance(result, AudioChunk))
            kept.append(1000 * (time.perf_counter() - asked_at))
            results.close()
    return times


def main() -> str:
    """Run the benchmark and return its table."""
    rows: list[list[object]] = []

    def add(names: Sequence[str], engines: Sequence[Synthesizer], calls: int) -> None:
        for name, times in zip(names, first_output_ms(engines, calls), strict=True):
            rows.append([name, median(times), percentile(times, 0.95), percentile(times, 0.99), calls])

    def two(first: Synthesizer, second: Synthesizer) -> Synthesizer:
        return FailoverSynthesizer([first, second], 5.0)

    def instant() -> Synthesizer:
        synthesizer = ScriptedSynthesizer()
        synthesizer.tone = 0.3
        return synthesizer

    names = ["an engine that takes no time", "with another behind it", "the first of two dead"]
    add(names, [instant(), two(instant(), instant()), two(DeadSynthesizer(), instant())], CALLS)
    espeak = EspeakSynthesizer
    names = ["eSpeak", "with another behind it", "the first of two dead"]
    add(names, [espeak(), two(espeak(), espeak()), two(DeadSynthesizer(), espeak())], REAL_CALLS)
    header = ["", "from the call to the first audio, median ms", "p95 ms", "p99 ms", "calls"]
    return table("Failover, beside the bare engine", header, rows)


if __name__ == "__main__":
    print(main())
