"""A model cut in two computes the same as before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="pip install onnx")

from onnx import TensorProto, helper, numpy_helper, save

from utils.onnx_cut import cut_before
from utils.onnx_file import open_onnx

F, B = TensorProto.FLOAT, TensorProto.BOOL


def model(path: Path) -> Path:
    """What is in a voice: weights, constants, an `If` with weights of its own, and a value that goes
    around the cut."""
    scale, shift = (
        numpy_helper.from_array(np.full(200 if name == "scale" else 1, value, np.float32), name)
        for name, value in (("scale", 3.0), ("shift", 7.0))
    )
    branches: dict[str, Any] = {
        f"{side}_branch": helper.make_graph(
            [helper.make_node(kind, ["x", "shift"], [f"{side}_y"])],
            side,
            [],
            [helper.make_tensor_value_info(f"{side}_y", F, ["n"])],
        )
        for side, kind in (("then", "Add"), ("else", "Sub"))
    }
    half = numpy_helper.from_array(np.array([0.5], np.float32))
    nodes = [
        helper.make_node("Constant", [], ["half"], value=half),
        helper.make_node("If", ["up"], ["moved"], name="if", **branches),
        helper.make_node("Neg", ["x"], ["around"]),
        helper.make_node("Mul", ["moved", "scale"], ["scaled"], name="decoder"),
        helper.make_node("Add", ["scaled", "around"], ["added"]),
        helper.make_node("Mul", ["added", "half"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "whole",
        [helper.make_tensor_value_info("x", F, ["n"]), helper.make_tensor_value_info("up", B, [])],
        [helper.make_tensor_value_info("y", F, ["n"])],
        [scale, shift],
    )
    opset = helper.make_opsetid("", 17)
    save(helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))
    return path


@pytest.mark.parametrize("up", [True, False])
def test_two_halves_compute_what_the_whole_did(tmp_path: Path, up: bool) -> None:
    path = model(tmp_path / "model.onnx")
    halves = cut_before(path, "decoder")
    assert halves is not None
    assert halves.passed == ("moved", "around")
    inputs: dict[str, Any] = {"x": np.arange(200, dtype=np.float32), "up": np.array(up)}
    passed = open_onnx(halves.first, 1).run(None, inputs)
    second = open_onnx(halves.second, 1).run(None, dict(zip(halves.passed, passed, strict=True)))
    np.testing.assert_array_equal(second[0], open_onnx(path, 1).run(None, inputs)[0])


def test_weights_go_to_the_half_that_uses_them(tmp_path: Path) -> None:
    halves = cut_before(model(tmp_path / "model.onnx"), "decoder")
    assert halves is not None
    assert b"shift" in halves.first
    assert b"scale" not in halves.first
    assert b"shift" not in halves.second


def test_a_model_without_that_node_is_not_cut(tmp_path: Path) -> None:
    assert cut_before(model(tmp_path / "model.onnx"), "elsewhere") is None
