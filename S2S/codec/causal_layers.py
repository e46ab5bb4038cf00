"""CausalLayers: the convolutions of EnCodec and Mimi on a stream, with their state."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import torch
from torch import nn

Tensor: TypeAlias = Any
"""Shape (1, channels, time)."""

Step: TypeAlias = Callable[[Tensor, bool], Tensor]
"""The next block of input, and True if it is the last ▶ the output that is now complete."""


class CausalLayers:
    """Layers of one SEANet (`EncodecEncoder.layers` and its like in Transformers) for one stream.

    Transformers computes a recording as a whole. These layers compute it in blocks of any size, and the
    joined output is the same: each convolution keeps the input that its next output needs, an LSTM its
    state. Beginning and end are padded as those of the whole are. A layer that mirrors its
    beginning (`pad_mode="reflect"`) waits until it has enough to mirror; from then on it delays nothing.
    """

    def __init__(self, layers: Iterable[Any]) -> None:
        self._steps = [_step(layer) for layer in layers]

    def feed(self, block: Tensor, last: bool) -> Tensor:
        """The next block, which may be empty ▶ the output that is now complete. `last`: the stream
        ends."""
        for step in self._steps:
            block = step(block, last)
        return block


def is_causal(layers: Iterable[Any]) -> bool:
    """False for layers that need the future, or the mean of the whole recording."""
    return not any(
        isinstance(part, nn.GroupNorm)
        or not getattr(part, "causal", True)
        or getattr(part, "trim_right_ratio", 1.0) != 1.0
        for layer in layers
        for part in layer.modules()
    )


def _step(layer: Any) -> Step:
    convolution = getattr(layer, "conv", None)
    if isinstance(convolution, nn.ConvTranspose1d):
        return _TransposedConvolution(layer).feed
    if isinstance(convolution, nn.Conv1d):
        return _Convolution(layer).feed
    if hasattr(layer, "block"):
        return _Residual(layer).feed
    if hasattr(layer, "lstm"):
        return _LSTM(layer).feed
    return lambda block, last: layer(block)  # an activation, which has no memory


class _Convolution:
    """`EncodecConv1d` or `MimiConv1d`."""

    def __init__(self, layer: Any) -> None:
        self._convolution = layer.conv
        self._mode = layer.pad_mode
        self._stride = layer.conv.stride[0]
        self._span = (layer.conv.kernel_size[0] - 1) * layer.conv.dilation[0] + 1
        self._left = self._span - self._stride
        """Padding before the first sample."""
        self._begins_with = {"constant": 0, "replicate": 1, "reflect": self._left + 1}[self._mode]
        """Input that must have come before the padding can be computed."""
        self._begun = False
        self._length = 0
        self._held: Tensor = None
        """Input, padding included, that the next outputs need."""

    def feed(self, block: Tensor, last: bool) -> Tensor:
        self._length += block.shape[-1]
        held = block if self._held is None else torch.cat((self._held, block), -1)
        right = -self._length % self._stride if last else 0
        left = 0
        if not self._begun and self._length and (last or self._length >= self._begins_with):
            self._begun, left = True, self._left
        if left or right:
            held = _pad(held, left, right, self._mode)
        outputs = max(0, (held.shape[-1] - self._span) // self._stride + 1) if self._begun else 0
        self._held = held[..., outputs * self._stride :]
        if not outputs:
            return held.new_empty(1, self._convolution.out_channels, 0)
        used = (outputs - 1) * self._stride + self._span
        return self._convolution(held[..., :used])


def _pad(block: Tensor, left: int, right: int, mode: str) -> Tensor:
    """Pad as `EncodecConv1d._pad1d` does: audio too short to be mirrored is first extended with
    zeros."""
    if mode != "reflect":
        return nn.functional.pad(block, (left, right), mode)
    zeros = max(0, max(left, right) - block.shape[-1] + 1)
    padded = nn.functional.pad(nn.functional.pad(block, (0, zeros)), (left, right), mode)
    return padded[..., : padded.shape[-1] - zeros]


class _TransposedConvolution:
    """`EncodecConvTranspose1d` or `MimiConvTranspose1d`. The kernel is two strides long, so the second
    half of an input's output is kept until the output of the next input has been added.

    Computed as a matrix product: for the few inputs of a block this takes 3 ms, torch's own layer 40 ms
    (1024 channels, one core).
    """

    def __init__(self, layer: Any) -> None:
        convolution = layer.conv
        self._groups, self._channels = convolution.groups, convolution.out_channels
        self._stride = convolution.stride[0]
        self._hops = convolution.kernel_size[0] // self._stride
        inputs = convolution.in_channels // self._groups
        self._weight = convolution.weight.detach().reshape(self._groups, inputs, -1)
        self._bias = None if convolution.bias is None else convolution.bias.detach()[:, None]
        self._held: Tensor = None

    def feed(self, block: Tensor, last: bool) -> Tensor:
        count, hops = block.shape[-1], self._hops
        if not count:
            return block.new_empty(1, self._channels, 0)
        by_time = block[0].reshape(self._groups, -1, count).transpose(1, 2)
        added = (by_time @ self._weight).reshape(self._groups, count, -1, hops, self._stride)
        added = added.transpose(1, 2).reshape(self._channels, count, hops, self._stride)
        output = added.new_zeros(self._channels, count + hops - 1, self._stride)
        for hop in range(hops):
            output[:, hop : hop + count] += added[:, :, hop]
        if self._held is not None:
            output[:, : hops - 1] += self._held
        self._held = output[:, count:]
        complete = output[:, :count].reshape(1, self._channels, -1)
        return complete if self._bias is None else complete + self._bias


class _Residual:
    """`EncodecResnetBlock` or `MimiResnetBlock`: the sum of two branches, one of which may have to wait
    for the other."""

    def __init__(self, layer: Any) -> None:
        self._long = CausalLayers(layer.block)
        self._short = _step(layer.shortcut)
        self._held: Tensor = None
        """Output of the short branch for which the long branch has none yet."""

    def feed(self, block: Tensor, last: bool) -> Tensor:
        short = self._short(block, last)
        short = short if self._held is None else torch.cat((self._held, short), -1)
        long = self._long.feed(block, last)
        complete = long.shape[-1]
        self._held = short[..., complete:]
        return short[..., :complete] + long


class _LSTM:
    """`EncodecLSTM`."""

    def __init__(self, layer: Any) -> None:
        self._lstm = layer.lstm
        self._state: Any = None

    def feed(self, block: Tensor, last: bool) -> Tensor:
        if not block.shape[-1]:
            return block
        by_time = block.permute(2, 0, 1)
        output, self._state = self._lstm(by_time, self._state)
        return (output + by_time).permute(1, 2, 0)
