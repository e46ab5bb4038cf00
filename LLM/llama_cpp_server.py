"""LlamaCppServer: llama.cpp's own server in this process, of one GGUF file, through xllamacpp.

It batches all calls, token by token, and each of its slots caches the prompt that it has read, so a call
reads only what is new. Requests and chunks are those of the OpenAI chat protocol.
"""

import atexit
import math
import mmap
import queue
import secrets
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import xllamacpp

from pipeline.errors import EngineError, UserError
from pipeline.turn import CancelToken
from utils.hub import size_text
from utils.memory import memory_bytes

BATCH = 64
"""Tokens of a prompt that are read at once, beside one token for each answer in progress. A cancelled
call stops between two batches. Larger batches are hardly faster on a CPU, but keep others waiting."""

_TEMPLATE = b"tokenizer.chat_template"
_HEADER_BYTES = 64 * 1024 * 1024
"""Part of a GGUF file that is searched for metadata; a vocabulary of 260,000 tokens takes 8 MB."""

_CACHE_TYPES = {"f16": xllamacpp.ggml_type.GGML_TYPE_F16, "q8_0": xllamacpp.ggml_type.GGML_TYPE_Q8_0}

Chunk = Mapping[str, Any]


class LlamaCppServer:
    """Serves `parallel` calls at once, with `context` tokens each.

    xllamacpp always opens a port on the loopback address; a random key prevents its use.
    """

    def __init__(
        self,
        path: Path,
        flag: str,
        *,
        context: int,
        parallel: int,
        on_gpu: bool,
        threads: int,
        cache_type: str = "f16",
    ) -> None:
        """`cache_type`: number format of the prompt cache of each slot. Raises `UserError`, which names
        `flag`."""
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = [path.name]
        params.n_ctx, params.n_parallel = context * parallel, parallel
        params.n_batch = params.n_ubatch = BATCH
        params.cache_type_k = params.cache_type_v = _CACHE_TYPES[cache_type]
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        params.n_gpu_layers = -1 if on_gpu else 0
        params.fit_params = on_gpu
        params.cache_ram_mib = 0  # a slot belongs to a conversation, see `LLM.slots`
        params.warmup = False
        params.verbosity = -1
        params.n_threads_http = 1
        params.api_keys = [secrets.token_hex(32)]
        params.ui = params.endpoint_slots = params.endpoint_props = False
        try:
            self._server: Any = xllamacpp.Server(params)
        except RuntimeError as error:
            raise UserError(
                f"{flag} {path}: expected a GGUF file that llama.cpp can load, got one that is cut off, "
                f"of an unknown architecture, or too large ({size_text(path.stat().st_size)}); "
                "choose another"
            ) from error
        try:
            self.next_tokens("Hello", 1)
        except EngineError as error:
            raise UserError(f"{flag} {path}: {error}; fetch it again, or choose another") from error
        self._calls: set[_Call] = set()
        atexit.register(self.close)  # a call that is alive when Python ends would crash it

    def stream(self, request: Mapping[str, Any], cancel: CancelToken) -> Iterator[Chunk]:
        """Yield the chunks of an answer, one of which may be an error. Stops between two tokens, or two
        batches of the prompt. Closing this generator waits until llama.cpp has stopped."""
        call = _Call(self._server, {**request, "stream": True, "return_progress": True}, cancel)
        self._calls.add(call)
        call.start()
        try:
            for chunk in iter(call.chunks.get, None):
                if cancel.cancelled:
                    break
                yield chunk
        finally:
            call.stop()
            self._calls.discard(call)
        if call.error is not None:
            raise call.error

    def next_tokens(self, prompt: str, count: int, slot: int = 0) -> dict[str, float]:
        """The `count` most probable tokens after a prompt, and their probabilities. Waits for them.
        Empty if the most probable one is a part of a character, of which llama.cpp tells nothing. Raises
        `EngineError` if the model computes no numbers, since its weights are damaged."""
        request = {
            "prompt": prompt,
            "n_predict": 1,
            "n_probs": count,
            "temperature": 0.0,
            "post_sampling_probs": False,
            "cache_prompt": True,
            "id_slot": slot,
        }
        answer = self._server.handle_completions(request)
        told = answer["choices"][0]["logprobs"]
        tokens = told["content"][0]["top_logprobs"] if told else ()
        if any(each["logprob"] is None for each in tokens):
            raise EngineError("expected a probability for each token, got none: the weights are damaged")
        return {each["token"]: math.exp(each["logprob"]) for each in tokens}

    def close(self) -> None:
        """Stop the calls, free the weights and close the port."""
        atexit.unregister(self.close)
        for call in list(self._calls):
            call.stop()
        self._server = None


class _Call(threading.Thread):
    """One call, on a thread of its own, since it returns only when the answer is complete."""

    def __init__(self, server: Any, request: dict[str, Any], cancel: CancelToken) -> None:
        super().__init__(name="llama.cpp call", daemon=True)
        self.chunks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()
        self.error: Exception | None = None
        self._stopped = False
        self._server, self._request, self._cancel = server, request, cancel

    def run(self) -> None:
        try:
            self._server.handle_chat_completions(self._request, self._take)
        except Exception as error:  # raised again where the chunks are awaited
            self.error = error
        finally:
            self.chunks.put(None)

    def stop(self) -> None:
        """Stop the call, and wait until llama.cpp has done so."""
        self._stopped = True
        self.join()

    def _take(self, chunk: Chunk) -> bool:
        """Pass a chunk on. Returns True to stop."""
        self.chunks.put(chunk)
        return self._stopped or self._cancel.cancelled


def has_gpu() -> bool:
    """True if this build of xllamacpp has found a GPU."""
    return any("CPU" not in str(device["type"]) for device in xllamacpp.get_device_info())


def has_chat_template(path: Path) -> bool:
    """True if the GGUF file contains a chat template; without one llama.cpp would use ChatML."""
    key = len(_TEMPLATE).to_bytes(8, "little") + _TEMPLATE
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(key, 0, _HEADER_BYTES) >= 0


def expect_gguf(path: Path, flag: str, *, on_gpu: bool) -> None:
    """Raise `UserError`, which names `flag`, for another kind of file and for one that is too large."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise UserError(f"{flag} {path}: expected a GGUF file, got another kind of file")
    memory = memory_bytes()
    if memory is not None and size > memory and not on_gpu:
        raise UserError(
            f"{flag} {path}: expected a model that fits into the {size_text(memory)} of this machine's "
            f"memory, got {size_text(size)}; choose a smaller one, or a smaller quantization of it"
        )
