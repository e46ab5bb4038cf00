"""BatchedAnswers: several answers of one model at once, by the continuous batching of Transformers."""

import asyncio
import itertools
import math
import threading
from collections.abc import Iterator
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, TextIteratorStreamer

from pipeline.errors import EngineError
from pipeline.messages import MAX_OUTPUT_TOKENS, CutOff
from pipeline.turn import CancelToken
from utils.stopping import was_cut_off

CONTEXT = 4096
"""Tokens of a prompt and its answer that are held in memory for each answer. Half an hour of
conversation."""

PAGE = 256
"""Tokens of one page of that memory, as Transformers has it."""

STEP = 256
"""Tokens that one step computes: a longer prompt takes several steps, so other answers wait less for
it."""


class BatchedAnswers:
    """All answers in progress take each step of the model together. An answer may begin at any step, and
    a cancelled one makes room at the next.

    `output_router` is asked for the one thing for which the manager has no method: to forget a request
    that was cancelled, about which it says nothing more. Its thread looks for work ten times a second.
    """

    context: int | None = CONTEXT

    def __init__(self, model: Any, tokenizer: Any, parallel: int) -> None:
        self._tokenizer = tokenizer
        self._config = model.generation_config
        self._numbers = itertools.count()
        self._manager = model.init_continuous_batching(
            generation_config=model.generation_config,
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=PAGE,
                num_blocks=parallel * math.ceil(CONTEXT / PAGE),
                max_batch_tokens=STEP,
                max_requests_per_batch=parallel,
            ),
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="batched-answers", daemon=True)
        self._thread.start()

    def answer(self, tokens: list[int], cancel: CancelToken) -> Iterator[str | CutOff]:
        """The words of an answer. Raises `EngineError`."""
        if cancel.cancelled:
            return
        answer = _Answer(self._manager, self._tokenizer, str(next(self._numbers)), tokens)
        self._loop.call_soon_threadsafe(answer.begin)

        def stop() -> None:
            self._loop.call_soon_threadsafe(answer.stop)

        with cancel.on_cancel(stop):
            try:
                yield from answer.streamer
            finally:
                stop()
        if answer.error is not None:
            raise EngineError(f"the language model failed: {answer.error}")
        if was_cut_off(answer.written, self._config):
            yield CutOff(MAX_OUTPUT_TOKENS)

    def close(self) -> None:
        """Stop the threads."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        """Run on a thread that ends with the program, as does the thread that the manager starts."""
        self._manager.start()
        self._loop.run_forever()
        self._manager.stop(block=True, hard_stop=True)
        self._loop.close()


class _Answer:
    """One request. All of it, but what is read from `streamer`, happens on the loop's thread."""

    def __init__(self, manager: Any, tokenizer: Any, id: str, tokens: list[int]) -> None:
        self.streamer = TextIteratorStreamer(tokenizer, skip_special_tokens=True)
        self.error: str | None = None
        self.written: list[int] = []
        """The tokens of the answer so far."""
        self._manager = manager
        self._id = id
        self._prompt = tokens
        self._over = False

    def begin(self) -> None:
        if self._over:
            return
        self._manager.register_result_handler(self._id, self._on_tokens)
        if self._manager.add_request(self._prompt, self._id, streaming=True) is None:
            self.error = "it has stopped"
            self._end()

    def stop(self) -> None:
        if not self._over:
            self._manager.cancel_request(self._id)
            self._end()

    def _on_tokens(self, output: Any) -> None:
        if self._over:
            return
        new = output.generated_tokens[len(self.written) :]
        self.written += new
        for token in new:
            self.streamer.put(torch.tensor([token]))
        if output.is_finished():
            self.error = output.error
            self._end()

    def _end(self) -> None:
        self._over = True
        self._manager.output_router.result_handlers.pop(self._id, None)
        self.streamer.end()
