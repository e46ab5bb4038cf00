"""A VITS voice, such as those of Piper, whose audio comes in pieces while it is still computing."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.messages import Samples
from pipeline.turn import CancelToken
from utils.onnx_cut import cut_before
from utils.onnx_file import open_onnx, run_until_cancelled

DECODER = "/dec/conv_pre/Conv"
"""The first node of the decoder, which turns frames into samples and takes two thirds of the time."""

FIRST_FRAMES = 32
"""Frames in the first piece, 0.37 s; each further one has twice as many as the one before."""

OVERLAP = 16
"""Frames before and after a piece on which its samples depend: 12 in Piper's voices of medium quality,
more in those of high quality. With this overlap, the joined pieces equal the audio in one piece."""


class Vits:
    """The ONNX file of a voice, cut before its decoder, so that the first sound comes earlier: for two
    seconds of speech after 81 instead of 164 ms, for five seconds after 148 instead of 419 (on one busy
    core). A model without such a decoder speaks in one piece."""

    def __init__(self, path: Path, threads: int) -> None:
        halves = cut_before(path, DECODER)
        self._passed: tuple[str, ...] = ()
        if halves is None:
            self._encoder = open_onnx(path, threads, one_shape=False)
        else:
            self._encoder = open_onnx(halves.first, threads, one_shape=False)
            self._decoder = open_onnx(halves.second, threads, one_shape=False)
            self._passed = halves.passed

    def speak(self, inputs: Mapping[str, Any], cancel: CancelToken) -> Iterator[Samples]:
        """Yield the samples piece by piece; end early when cancelled. Raises the errors of onnxruntime,
        which have no common class."""
        encoded = run_until_cancelled(self._encoder, inputs, cancel)
        if encoded is None:
            return
        if not self._passed:
            yield encoded[0].reshape(-1)
            return
        passed = dict(zip(self._passed, encoded, strict=True))
        frames = passed[self._passed[0]]
        at, size, length = 0, FIRST_FRAMES, frames.shape[2]
        while at < length:
            end = at + size if at + 2 * size < length else length  # no short last piece
            begin = max(0, at - OVERLAP)
            part = frames[:, :, begin : end + OVERLAP]
            decoded = run_until_cancelled(self._decoder, passed | {self._passed[0]: part}, cancel)
            if decoded is None:
                return
            samples: Samples = decoded[0].reshape(-1)
            hop = len(samples) // part.shape[2]
            yield samples[(at - begin) * hop : (end - begin) * hop]
            at, size = end, 2 * size
