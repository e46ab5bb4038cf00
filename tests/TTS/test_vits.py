"""The built-in voice, piece by piece."""

import itertools
from typing import Any

import numpy as np
import pytest

from catalog.weights import FETCH, JOE
from pipeline.turn import CancelToken
from TTS.vits import FIRST_FRAMES, Vits
from utils.onnx_file import open_onnx

HOP = 256

pytestmark = pytest.mark.skipif(not JOE.there, reason=f"the voice is not there; type: {FETCH}")


@pytest.fixture(scope="module")
def vits() -> Vits:
    return Vits(JOE.path, threads=1)


def saying(length: int) -> dict[str, Any]:
    """Inputs for some phonemes, without chance."""
    phonemes = [1, *itertools.islice(itertools.cycle([20, 0, 61, 0, 15, 0]), length), 2]
    return {
        "input": np.array([phonemes]),
        "input_lengths": np.array([len(phonemes)]),
        "scales": np.array([0.0, 1.0, 0.0], np.float32),
    }


@pytest.mark.parametrize("length", [2, 40, 120, 400])
def test_the_pieces_joined_are_what_the_whole_model_says(vits: Vits, length: int) -> None:
    pieces = list(vits.speak(saying(length), CancelToken()))
    whole = open_onnx(JOE.path, 1).run(None, saying(length))[0].reshape(-1)
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-4)


def test_the_first_piece_is_short_and_the_last_is_not(vits: Vits) -> None:
    lengths = [len(piece) // HOP for piece in vits.speak(saying(400), CancelToken())]
    assert lengths[0] == FIRST_FRAMES
    assert len(lengths) > 2
    assert lengths[-1] > FIRST_FRAMES


def test_it_stops_between_two_pieces(vits: Vits) -> None:
    cancel = CancelToken()
    speech = vits.speak(saying(400), cancel)
    next(speech)
    cancel.cancel()
    assert list(speech) == []
