"""A Moonshine model on onnxruntime: an encoder, a decoder and a table of tokens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.messages import Samples
from pipeline.turn import CancelToken
from STT.drafts import Drafts, after
from utils.onnx_file import open_onnx, run_until_cancelled
from utils.threads import engine_threads

_BEGIN, _END = 1, 2
"""The tokens at the beginning and the end of a text."""

MAX_TOKENS_PER_S = 6.5
"""An output with more is a repeated phrase; the limit of Moonshine's own library."""

MAX_CHECKED = 12
"""Tokens of a draft that are checked in one call of the decoder. It takes twice as long as for one
token, so little is lost if the draft is of no use."""

_SPACE = "▁"


class MoonshineModel:
    """Runs the model files of the package `moonshine_voice` (tiny-en, base-ja), except streaming models.

    It takes half the computing time of the package's own library (median of 33 utterances: 0.11 instead
    of 0.23 s; 31 have the same text, the other two differ by a letter). To load sooner, the library
    switches off onnxruntime's memory arena and weight packing, and it runs voice detection on audio that
    our VAD has already cut. Any thread may call it; it stops at once.
    """

    def __init__(self, folder: Path) -> None:
        threads = engine_threads("stt")
        self._tokens = _read_tokens((folder / "tokenizer.bin").read_bytes())
        self._encoder = open_onnx(folder / "encoder_model.ort", threads, one_shape=False)
        self._decoder = open_onnx(folder / "decoder_model_merged.ort", threads, one_shape=False)
        self._pasts = {
            value.name: (1, value.shape[1], 0, value.shape[3])
            for value in self._decoder.get_inputs()
            if value.name.startswith("past_key_values.")
        }
        self._outputs = [value.name for value in self._decoder.get_outputs()]
        self._drafts = Drafts()
        names = {value.name for value in self._decoder.get_inputs()}
        self._takes_mask = "encoder_attention_mask" in names

    def words(self, samples: Samples, rate_hz: int, cancel: CancelToken) -> str:
        """The words of audio at 16 kHz; if cancelled, those found so far. An utterance that is
        recognized again while it grows takes half the time: one call of the decoder checks all
        previous tokens, in the time of three."""
        audio, mask = samples[np.newaxis], np.ones((1, len(samples)), np.int64)
        encoded = run_until_cancelled(
            self._encoder, {"input_values": audio, "attention_mask": mask}, cancel
        )
        if encoded is None:
            return ""
        state: dict[str, Any] = {
            name: np.zeros(shape, np.float32) for name, shape in self._pasts.items()
        }
        state["encoder_hidden_states"] = encoded[0]
        if self._takes_mask:
            state["encoder_attention_mask"] = mask  # at the rate of the audio: the decoder reduces it
        most = int(len(samples) / rate_hz * MAX_TOKENS_PER_S)
        found, token, draft = list[int](), _BEGIN, self._drafts.of(samples)
        while len(found) < most and not cancel.cancelled:
            right, token = self._checked(token, draft[: min(MAX_CHECKED, most - len(found) - 1)], state)
            found += draft[:right]
            if token == _END:
                break
            found.append(token)
            draft = after(draft[right:], token)
        self._drafts.keep(samples, found)
        written = b"".join(self._tokens[token] for token in found)
        return written.decode("utf-8", "replace").replace(_SPACE, " ").strip()

    def _checked(self, token: int, draft: Sequence[int], state: dict[str, Any]) -> tuple[int, int]:
        """The number of tokens at the beginning of `draft` that are the most likely ones after `token`,
        and the most likely token after those."""
        likely = self._next([token, *draft], state)
        right = next((at for at, each in enumerate(draft) if each != likely[at]), len(draft))
        if wrong := len(draft) - right:
            for name in self._pasts:
                if ".decoder." in name:
                    state[name] = state[name][:, :, :-wrong]
        return right, likely[right]

    def _next(self, tokens: Sequence[int], state: dict[str, Any]) -> list[int]:
        """The most likely token after each of `tokens`; updates `state`."""
        begins = tokens[0] == _BEGIN
        logits, *presents = self._decoder.run(
            None,
            state | {"input_ids": np.array([tokens]), "use_cache_branch": np.array([not begins])},
        )
        for name, value in zip(self._outputs[1:], presents, strict=True):
            if begins or ".decoder." in name:  # the cache for the audio does not change
                state[name.replace("present", "past_key_values")] = value
        return [int(token) for token in logits[0].argmax(-1)]


def _read_tokens(data: bytes) -> list[bytes]:
    """The text of each token; its length comes first, as one byte, or two if the first is over 127.
    Tokens in angle brackets have no text."""
    tokens, at = [], 0
    while at < len(data):
        length, at = data[at], at + 1
        if length > 127:
            length, at = length - 128 + 128 * data[at], at + 1
        token, at = data[at : at + length], at + length
        tokens.append(b"" if length > 2 and token.startswith(b"<") and token.endswith(b">") else token)
    return tokens
