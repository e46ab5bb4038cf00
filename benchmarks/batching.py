"""Whisper with and without batches: callers that ask repeatedly, on random weights of one size."""

import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import median, table
from pipeline.turn import CancelToken
from STT.whisper import WhisperRecognizer
from testing.contracts import speech_like
from testing.tiny_whisper import tiny_whisper
from utils.device import find_device

TINY: dict[str, Any] = {
    **{"d_model": 384, "encoder_layers": 4, "encoder_attention_heads": 6, "encoder_ffn_dim": 1536},
    **{"decoder_layers": 4, "decoder_attention_heads": 6, "decoder_ffn_dim": 1536},
    "fillers": 50_000,
}
"""The dimensions of openai/whisper-tiny, with a vocabulary as large."""

TOKENS = 30
"""Tokens in every answer: about twenty words, a long sentence. Random weights never end by
themselves."""

BATCHES = (1, 2, 4, 8)
CALLERS = (1, 8)
EACH = 3
"""Utterances of every caller in a run."""

ROUNDS = 3
"""Each round runs everything once, so that other load on the machine affects all alike."""


def run(engine: WhisperRecognizer, callers: int) -> tuple[float, float, list[float]]:
    """Let callers ask again as soon as they are answered. Returns the seconds an utterance takes, by the
    clock and summed over all cores, and the milliseconds of each call."""
    took: list[float] = []
    utterance = speech_like(engine.info.sample_rate_hz, 3.0)

    def call_again_and_again() -> None:
        for _ in range(EACH):
            begun = time.monotonic()
            engine.transcribe(utterance, "en", CancelToken())
            took.append(1000 * (time.monotonic() - begun))

    threads = [threading.Thread(target=call_again_and_again) for _ in range(callers)]
    begun, computed = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    utterances = callers * EACH
    return (
        (time.monotonic() - begun) / utterances,
        (time.process_time() - computed) / utterances,
        took,
    )


def main() -> str:
    """Run the benchmark and return its table."""
    device = find_device("auto")
    settings = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS}
    with tempfile.TemporaryDirectory() as folder:
        model = str(tiny_whisper(Path(folder), **TINY))
        engines = {
            batch: WhisperRecognizer(model, device, batch_size=batch, gen_kwargs=settings)
            for batch in BATCHES
        }
    runs: dict[tuple[int, int], list[tuple[float, float, list[float]]]] = {}
    for _ in range(ROUNDS):
        for callers in CALLERS:
            for batch, engine in engines.items():
                runs.setdefault((callers, batch), []).append(run(engine, callers))
    rows = [
        [
            *case,
            1 / median([clock_s for clock_s, _, _ in figures]),
            median([core_s for _, core_s, _ in figures]),
            round(median([ms for _, _, took in figures for ms in took])),
        ]
        for case, figures in runs.items()
    ]
    for engine in engines.values():
        engine.close()
    header = ["callers", "at most in a batch", "utterances a second", "CPU s each", "a call, median ms"]
    return table(f"Whisper tiny, random weights, on {device}: batches", header, rows)


if __name__ == "__main__":
    print(main())
