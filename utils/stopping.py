"""Stopping a model of Transformers in the midst of its work, when the call is cancelled."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import torch
from transformers import StoppingCriteria

from pipeline.turn import CancelToken


def was_cut_off(tokens: Sequence[int], config: Any) -> bool:
    """True if a generation with this `GenerationConfig` and these tokens ended at its limit, not because
    the model had finished."""
    ends = config.eos_token_id
    ends = ends if isinstance(ends, list) else [ends]
    return len(tokens) >= config.max_new_tokens and tokens[-1] not in ends


class StopOnCancel(StoppingCriteria):  # type: ignore[misc]
    """Ends a row of a batch, between two tokens, when its call is cancelled: a token for each row."""

    def __init__(self, *cancels: CancelToken) -> None:
        self._cancels = cancels

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        stopped = torch.tensor([cancel.cancelled for cancel in self._cancels], device=input_ids.device)
        beams = len(input_ids) // len(self._cancels)
        return stopped.repeat_interleave(beams)


@contextmanager
def stopped_on_cancel(cancel: CancelToken, *modules: torch.nn.Module) -> Iterator[None]:
    """Leave the block before the next call of any of these modules, once `cancel` is raised. For
    libraries that take no stopping criteria, or go on with the next model after one has stopped."""

    def look(*_: Any) -> None:
        if cancel.cancelled:
            raise _Stopped

    with ExitStack() as hooks:
        for module in modules:
            hooks.callback(module.register_forward_pre_hook(look).remove)
        with suppress(_Stopped):
            yield


class _Stopped(Exception):
    """Raised through the library."""
