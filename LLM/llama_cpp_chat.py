"""A chat model from a GGUF file, run by llama.cpp in this process."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llama_cpp import Llama
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from LLM.chat_template import MAX_ANSWER, ChatTemplate, no_chat_template
from pipeline.engine_info import ChatModelInfo
from pipeline.errors import UserError
from pipeline.messages import ChatMessage, Notice
from pipeline.settings import ANY_TOOL, Tool
from pipeline.turn import CancelToken
from utils.hub import fetch

STEP = 256
"""Tokens of a prompt that are read in one go; between two a cancelled call stops. (llama.cpp can be
asked to abort as well, but asks back for each operation of the model, in Python.)"""


class LlamaCppChatModel:
    """One answer at a time; stops between two tokens, and while it reads the prompt. The part of a
    conversation that it has read is not read again if the next call is of the same one."""

    def __init__(
        self,
        model_name: str,
        gguf: str,
        device: str,
        context: int = 4096,
        thinking: bool = False,
        gen_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        path = _find(model_name, gguf)
        layers = 0 if device == "cpu" else -1
        try:
            self._llama: Any = Llama(str(path), n_ctx=context, n_gpu_layers=layers, verbose=False)
        except (OSError, ValueError) as error:
            raise UserError(
                f"--llm_model_name {path}: expected a GGUF file that llama.cpp can load, got {error}"
            ) from error
        template = self._llama.metadata.get("tokenizer.chat_template")
        if template is None:
            raise no_chat_template(str(path))
        self._settings = {"max_tokens": MAX_ANSWER, **(gen_kwargs or {})}
        formatter = Jinja2ChatFormatter(
            template, self._special(self._llama.token_eos()), self._special(self._llama.token_bos())
        )
        self._template = ChatTemplate(
            path.name,
            lambda messages: formatter(messages=messages, enable_thinking=thinking).prompt,
            lambda text: self._llama.tokenize(text.encode("utf-8"), add_bos=False, special=True),
            context=self._llama.n_ctx(),
            answer=self._settings["max_tokens"],
        )
        # no tools: the binding renders them into the prompt, but does not read the calls
        self.info = ChatModelInfo(name="llama-cpp", about=f"{path.name} on {device}")

    def generate(
        self,
        messages: Sequence[ChatMessage],
        cancel: CancelToken,
        tools: Sequence[Tool] = (),
        tool_choice: str = ANY_TOOL,
    ) -> Iterator[str | Notice]:
        """The answer, token by token."""
        prompt = self._template.prompt(messages)
        yield from prompt.opening()
        for end in range(STEP, len(prompt.tokens), STEP):
            if cancel.cancelled:
                return
            next(self._llama.generate(prompt.tokens[:end]))  # it goes on from what it has read
        if cancel.cancelled:
            return
        chunks = self._llama.create_completion(prompt.tokens, stream=True, **self._settings)
        for chunk in chunks:
            if cancel.cancelled:
                return
            if text := chunk["choices"][0]["text"]:
                yield text

    def close(self) -> None:
        """Free the weights."""
        self._llama.close()

    def _special(self, token: int) -> str:
        return self._llama.detokenize([token], special=True).decode("utf-8") if token != -1 else ""


def _find(model_name: str, gguf: str) -> Path:
    """The GGUF file of the model. Raises `UserError`."""
    if Path(model_name).expanduser().is_file():
        return Path(model_name).expanduser()
    folder = fetch(model_name, "--llm_model_name", files=[gguf])
    found = sorted(folder.glob(gguf))
    if not found:
        raise UserError(f"--llm_gguf {gguf}: {model_name} has no such file; choose another one")
    return found[0]
