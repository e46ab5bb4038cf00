"""Calls of an ONNX model that can be cancelled."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from pipeline.turn import CancelToken
from utils.onnx_file import open_onnx, run_until_cancelled


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that doubles a vector."""
    vector = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n"]) for name in ("x", "y")
    ]
    double = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([double], "double", vector[:1], vector[1:])
    opset = [onnx.helper.make_opsetid("", 17)]
    path = tmp_path / "double.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    return path


def test_a_call_has_the_outputs_unless_it_is_cancelled(model: Path) -> None:
    session, cancel = open_onnx(model, 1), CancelToken()
    outputs = run_until_cancelled(session, {"x": np.ones(3, np.float32)}, cancel)
    assert outputs is not None
    assert outputs[0].tolist() == [2, 2, 2]
    cancel.cancel()
    assert run_until_cancelled(session, {"x": np.ones(3, np.float32)}, cancel) is None


def test_an_error_that_is_no_cancelling_is_raised(model: Path) -> None:
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        run_until_cancelled(open_onnx(model, 1), {"x": np.ones(3, np.float64)}, CancelToken())
