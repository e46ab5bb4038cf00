"""Cuts an ONNX model in two, so that its second half can compute piece by piece.

Reads and writes just enough of the format (onnx.proto, protocol buffers) to do without the package
`onnx`, which is 20 MB and which nothing else here needs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_NAME, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 2, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_NAME, _NODE_KIND = 1, 2, 3, 4
_TENSOR_NAME, _VALUE_NAME = 8, 1

_WITH_SUBGRAPHS = ("If", "Loop", "Scan")
"""Kinds of nodes that may use weights that are not among their inputs."""

_FLOATS = b"\x12\x04\x0a\x02\x08\x01"
"""The type of a value: a tensor of 32-bit floats of any shape."""


@dataclass
class _Node:
    encoded: bytes
    name: str = ""
    kind: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Halves:
    """Two models; the outputs of the first are the inputs of the second, under the same names."""

    first: bytes
    second: bytes
    passed: tuple[str, ...]
    """The tensor at the cut, then the others that the second model takes from the first."""


def cut_before(path: Path, node_name: str) -> Halves | None:
    """Cut at the first input of this node; all nodes that depend on it are the second half. All tensors
    at the cut must be floats. None if there is no such node."""
    model = memoryview(path.read_bytes())
    rest = [bytes(whole) for number, whole, _ in _fields(model) if number != _MODEL_GRAPH]
    graph = next((content for number, _, content in _fields(model) if number == _MODEL_GRAPH), model[:0])
    nodes = [_node(content) for number, _, content in _fields(graph) if number == _GRAPH_NODE]
    start = next((node for node in nodes if node.name == node_name), None)
    if start is None:
        return None
    weights = {
        _text(content, _TENSOR_NAME): bytes(whole)
        for number, whole, content in _fields(graph)
        if number == _GRAPH_INITIALIZER
    }
    second, known = [], {start.inputs[0]}
    for node in nodes:  # in the order of computation
        if known.intersection(node.inputs):
            second.append(node)
            known.update(node.outputs)
    belongs = set(map(id, second))
    first = [node for node in nodes if id(node) not in belongs]
    constants = {out: node for node in first if node.kind == "Constant" for out in node.outputs}
    made = {out for node in second for out in node.outputs} | weights.keys()
    needed = list(dict.fromkeys(name for node in second for name in node.inputs if name not in made))
    passed = tuple(name for name in needed if name and name not in constants)
    passed = (start.inputs[0], *(name for name in passed if name != start.inputs[0]))
    copied = [constants[name] for name in needed if name in constants]

    def graph_of(part: list[_Node], inputs: list[bytes], outputs: list[bytes]) -> bytes:
        used = {name for node in part for name in node.inputs}
        inside = b"".join(node.encoded for node in part if node.kind in _WITH_SUBGRAPHS)
        kept = [weights[name] for name in weights if name in used or name.encode() in inside]
        encoded = [_field(_GRAPH_NODE, node.encoded) for node in part]
        body = b"".join([_field(_GRAPH_NAME, b"half"), *encoded, *kept, *inputs, *outputs])
        return b"".join([*rest, _field(_MODEL_GRAPH, body)])

    ends = {
        number: [bytes(whole) for at, whole, _ in _fields(graph) if at == number]
        for number in (_GRAPH_INPUT, _GRAPH_OUTPUT)
    }
    values = [_field(_VALUE_NAME, name.encode()) + _FLOATS for name in passed]
    return Halves(
        graph_of(first, ends[_GRAPH_INPUT], [_field(_GRAPH_OUTPUT, value) for value in values]),
        graph_of(
            copied + second, [_field(_GRAPH_INPUT, value) for value in values], ends[_GRAPH_OUTPUT]
        ),
        passed,
    )


def _node(content: memoryview) -> _Node:
    node = _Node(bytes(content))
    for number, _, value in _fields(content):
        if number == _NODE_INPUT:
            node.inputs.append(str(value, "utf-8"))
        elif number == _NODE_OUTPUT:
            node.outputs.append(str(value, "utf-8"))
        elif number == _NODE_NAME:
            node.name = str(value, "utf-8")
        elif number == _NODE_KIND:
            node.kind = str(value, "utf-8")
    return node


def _text(message: memoryview, wanted: int) -> str:
    return next(
        (str(content, "utf-8") for number, _, content in _fields(message) if number == wanted), ""
    )


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """The number, the whole encoding and the content of each field. Raises `ValueError` where this
    cannot be a message."""
    at = 0
    while at < len(message):
        start = at
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                begin, (_, at) = at, _varint(message, at)
            case 1:
                begin, at = at, at + 8
            case 2:
                length, begin = _varint(message, at)
                at = begin + length
            case 5:
                begin, at = at, at + 4
            case kind:
                raise ValueError(f"expected an ONNX model, got a field of the kind {kind}")
        if not key >> 3:
            raise ValueError("expected an ONNX model, got a field without a number")
        yield key >> 3, message[start:at], message[begin:at]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number, and the position after it."""
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _field(number: int, content: bytes) -> bytes:
    """The encoding of a field of bytes."""
    length, encoded = len(content), bytearray()
    for value in (number << 3 | 2, length):
        while value > 127:
            encoded.append(value & 127 | 128)
            value >>= 7
        encoded.append(value)
    return bytes(encoded) + content
