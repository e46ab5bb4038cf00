"""Toy ONNX graphs with the inputs and outputs of a synthesizer: every token becomes a tone."""

from pathlib import Path

import numpy as np


def toy_synthesizer(
    path: Path,
    *,
    tokens: str,
    tokens_shape: list[int | str],
    others: dict[str, tuple[int, list[int | str]]],
    samples_a_token: int,
    output: str,
    output_shape: list[int],
) -> None:
    """Write a graph that plays sin(0.7 n) with a pitch by the number of the token; `others` are inputs
    that it takes and ignores: name ▶ ONNX type and shape."""
    from onnx import TensorProto, helper, numpy_helper, save

    ramp = np.arange(samples_a_token, dtype=np.float32)[None, :]
    constants = {
        "ramp": ramp,
        "pitch": np.float32(0.002),
        "column": np.array([-1, 1], "i8"),
        "shape": np.array(output_shape, "i8"),
        "one": np.float32(1),
    }
    graph = helper.make_graph(
        [
            helper.make_node("Cast", [tokens], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Reshape", ["numbers", "column"], ["rows"]),
            helper.make_node("Add", ["rows", "one"], ["from_one"]),
            helper.make_node("Mul", ["from_one", "pitch"], ["pitches"]),
            helper.make_node("Mul", ["pitches", "ramp"], ["phases"]),
            helper.make_node("Sin", ["phases"], ["tones"]),
            helper.make_node("Reshape", ["tones", "shape"], [output]),
        ],
        "toy",
        [helper.make_tensor_value_info(tokens, TensorProto.INT64, tokens_shape)]
        + [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in others.items()],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * len(output_shape))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
