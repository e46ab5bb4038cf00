"""A chat model for MLX, Apple's library for Apple silicon. It runs on other machines too."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import mlx_lm
from mlx.utils import tree_flatten
from mlx_lm.sample_utils import make_sampler

from LLM.chat_template import MAX_ANSWER, ChatTemplate, no_chat_template
from LLM.thoughts import Piece
from pipeline.engine_info import ChatModelInfo
from pipeline.errors import UserError
from pipeline.messages import MAX_OUTPUT_TOKENS, ChatMessage, CutOff
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from utils.hub import fetch
from utils.mlx import MLX_LOCK, expect_numbers

STEP = 256
"""Tokens of a prompt that are read in one go; between two a cancelled call stops."""


class MLXChatModel:
    """Any model that mlx-lm knows and that has a chat template. One answer at a time; stops between two
    tokens, and while it reads the prompt."""

    def __init__(
        self,
        model_name: str,
        thinking: bool = False,
        keep_thoughts: bool = False,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        folder = fetch(model_name, "--llm_model_name")
        try:
            with MLX_LOCK:
                self._model, self._tokenizer, config = mlx_lm.load(str(folder), return_config=True)
                weights = dict(tree_flatten(self._model.parameters()))
                expect_numbers(weights, "--llm_model_name", model_name)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"--llm_model_name {model_name}: expected a model for mlx-lm, got {error}"
            ) from error
        if not self._tokenizer.has_chat_template:
            raise no_chat_template(model_name)
        settings = {"max_tokens": MAX_ANSWER, **(gen_kwargs or {})}
        self._longest = settings["max_tokens"]
        self._sampler = make_sampler(settings.get("temperature", 0.0), settings.get("top_p", 0.0))
        config = config.get("text_config") or config
        self._template = ChatTemplate(
            model_name,
            lambda messages: self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
            ),
            lambda text: self._tokenizer.encode(text, add_special_tokens=False),
            context=config.get("max_position_embeddings") or sys.maxsize,
            answer=self._longest,
        )
        # no tools: every family of models writes its calls in another way
        self.info = ChatModelInfo(
            name="mlx-lm", model=model_name, device="MLX", keeps_thoughts=keep_thoughts
        )

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer, token by token."""
        prompt = self._template.prompt(messages)
        yield from prompt.opening()

        def stop_if_cancelled(read: int, of: int) -> None:
            if cancel.cancelled:
                raise _Cancelled

        steps = mlx_lm.stream_generate(
            self._model,
            self._tokenizer,
            prompt.tokens,
            max_tokens=self._longest,
            sampler=self._sampler,
            prefill_step_size=STEP,
            prompt_progress_callback=stop_if_cancelled,
        )
        try:
            while not cancel.cancelled:
                with MLX_LOCK:
                    step = next(steps, None)
                if step is None:
                    return
                if step.text:
                    yield step.text
                if step.finish_reason == "length":
                    yield CutOff(MAX_OUTPUT_TOKENS)
        except _Cancelled:
            return
        finally:
            with MLX_LOCK:
                steps.close()

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""


class _Cancelled(Exception):
    """The call was cancelled."""
