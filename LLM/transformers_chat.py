"""A chat model of the Hugging Face hub, in this process."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from pipeline.errors import UserError
from pipeline.messages import ChatMessage
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from utils.hub import expect_weights, fetch


class TransformersChatModel:
    """Any causal model with a chat template. One answer at a time; stops between two tokens."""

    name = "transformers"
    slots = 1
    takes_tools = False
    """Every family of models writes its calls in another way."""
    hears = False

    def __init__(
        self,
        model_name: str,
        device: str,
        torch_dtype: str = "auto",
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        dtype = torch_dtype if torch_dtype == "auto" else getattr(torch, torch_dtype)
        folder = fetch(model_name, "--llm_model_name")
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
            model, report = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, output_loading_info=True
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"--llm_model_name {model_name}: expected a chat model of Transformers, got {error}"
            ) from error
        expect_weights(report, "--llm_model_name", model_name)
        if self._tokenizer.chat_template is None:
            raise UserError(
                f"--llm_model_name {model_name}: it has no chat template; choose an instruct model"
            )
        self._model: Any = model.to(device).eval()
        self._settings = {name: v for name, v in (gen_kwargs or {}).items() if v is not None}

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str]:
        """The answer as it is generated, in whole words."""
        prompt = self._tokenizer.apply_chat_template(
            [{"role": m.role, "content": m.content} for m in messages],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        ).to(self._model.device)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        run = _Generation(self._model, prompt, streamer, self._settings, cancel)
        run.start()
        try:
            yield from streamer
        finally:
            run.stop()
        if run.error is not None:
            raise run.error

    def close(self) -> None:
        """The weights go when this object goes."""


class _Generation(threading.Thread):
    """`generate` runs in a thread of its own, since its streamer only works so."""

    def __init__(
        self,
        model: Any,
        prompt: Mapping[str, torch.Tensor],
        streamer: TextIteratorStreamer,
        settings: Mapping[str, Any],
        cancel: CancelToken,
    ) -> None:
        super().__init__(name="generation", daemon=True)
        self.error: Exception | None = None
        self._model = model
        self._prompt = prompt
        self._streamer = streamer
        self._settings = settings
        self._cancel = cancel
        self._stopped = False

    def run(self) -> None:
        stop = StoppingCriteriaList([_Stop(lambda: self._stopped or self._cancel.cancelled)])
        try:
            with torch.inference_mode():
                self._model.generate(
                    **self._prompt, **self._settings, streamer=self._streamer, stopping_criteria=stop
                )
        except Exception as error:  # raised again by who waits for the words
            self.error = error
            self._streamer.end()

    def stop(self) -> None:
        """Stop after the present token and wait for that."""
        self._stopped = True
        self.join()


class _Stop(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, wanted: Any) -> None:
        self._wanted = wanted

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((len(input_ids),), self._wanted(), device=input_ids.device, dtype=torch.bool)
