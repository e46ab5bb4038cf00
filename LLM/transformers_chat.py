"""A chat model from the Hugging Face hub, in this process."""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from LLM.batched_answers import BatchedAnswers
from LLM.chat_template import ChatTemplate, no_chat_template
from LLM.thoughts import Piece
from pipeline.engine_info import ChatModelInfo
from pipeline.messages import MAX_OUTPUT_TOKENS, ChatMessage, CutOff
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from utils.pretrained import fetch_pretrained
from utils.stopping import StopOnCancel, was_cut_off


class _Answers(Protocol):
    """Execution of the model: one answer after the other, or several at once."""

    context: int | None
    """Tokens that a prompt and its answer may have together; None: as many as the model takes."""

    def answer(self, tokens: list[int], cancel: CancelToken) -> Iterator[str | CutOff]: ...

    def close(self) -> None: ...


class TransformersChatModel:
    """Any causal model with a chat template. One answer at a time, or `parallel` of them, which share
    each step of the model. Stops between two tokens; reading the prompt is not interrupted."""

    def __init__(
        self,
        model_name: str,
        device: str,
        torch_dtype: str = "auto",
        thinking: bool = False,
        keep_thoughts: bool = False,
        parallel: int = 1,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        pretrained = fetch_pretrained(model_name, "--llm_model_name", "a chat model of Transformers")
        tokenizer = pretrained.load(AutoTokenizer)
        model = pretrained.load_model(AutoModelForCausalLM, device, dtype=torch_dtype)
        if tokenizer.chat_template is None:
            raise no_chat_template(model_name)
        model.generation_config.update(**_settings(gen_kwargs or {}))
        # no tools: every family of models writes its calls in another way
        self.info = ChatModelInfo(
            name="transformers",
            slots=parallel,
            keeps_thoughts=keep_thoughts,
            model=model_name,
            device=device,
        )
        self._answers: _Answers
        if parallel > 1:
            self._answers = BatchedAnswers(model, tokenizer, parallel)
        else:
            self._answers = _OneByOne(model, tokenizer)
        longest = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self._template = ChatTemplate(
            model_name,
            lambda messages: tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True, enable_thinking=thinking
            ),
            lambda text: tokenizer(text, add_special_tokens=False)["input_ids"],
            context=min(longest or sys.maxsize, self._answers.context or sys.maxsize),
            answer=model.generation_config.max_new_tokens,
        )

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[Piece]:
        """The answer as it is generated, in whole words."""
        prompt = self._template.prompt(messages)
        yield from prompt.opening()
        yield from self._answers.answer(prompt.tokens, cancel)

    def close(self) -> None:
        """Nothing to do: the weights are freed with this object."""
        self._answers.close()


def _settings(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Generation settings that replace the model's own. A temperature turns sampling on, 0 turns it off;
    without sampling the other sampling settings mean nothing."""
    settings = dict(wanted)
    if "temperature" in settings:
        settings.setdefault("do_sample", settings["temperature"] > 0)
    if not settings.get("do_sample", True):
        settings |= {"temperature": None, "top_p": None, "top_k": None}
    return settings


class _OneByOne:
    """Each answer has the model to itself."""

    context: int | None = None

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer

    def answer(self, tokens: list[int], cancel: CancelToken) -> Iterator[str | CutOff]:
        """The words of an answer."""
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        unwanted = CancelToken()
        run = _Generation(self._model, tokens, streamer, unwanted)
        with cancel.on_cancel(unwanted.cancel):
            run.start()
            try:
                yield from streamer
            finally:
                unwanted.cancel()
                run.join()
        if run.error is not None:
            raise run.error
        if not cancel.cancelled and was_cut_off(run.written, self._model.generation_config):
            yield CutOff(MAX_OUTPUT_TOKENS)

    def close(self) -> None:
        """Nothing runs between two answers."""


class _Generation(threading.Thread):
    """A call of `generate`, on a thread of its own, as its streamer requires."""

    def __init__(
        self, model: Any, tokens: list[int], streamer: TextIteratorStreamer, cancel: CancelToken
    ) -> None:
        super().__init__(name="generation", daemon=True)
        self.error: Exception | None = None
        self.written: list[int] = []
        """The tokens of the answer, once it is over."""
        self._model = model
        self._tokens = tokens
        self._streamer = streamer
        self._cancel = cancel

    def run(self) -> None:
        stop = StoppingCriteriaList([StopOnCancel(self._cancel)])
        prompt = torch.tensor([self._tokens], device=self._model.device)
        try:
            with torch.inference_mode():
                output = self._model.generate(
                    prompt,
                    attention_mask=torch.ones_like(prompt),
                    streamer=self._streamer,
                    stopping_criteria=stop,
                )
            self.written = output[0, len(self._tokens) :].tolist()
        except Exception as error:  # raised again where the words are awaited
            self.error = error
            self._streamer.end()
